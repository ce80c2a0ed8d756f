// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One event between its decoder and the batch: collects the values, checks what makes a valid CloudEvent, and becomes a row or a
// rejection. The rules stand here once for every format.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "event/internal/attribute_names.h"
#include "event/limits.h"

namespace sluice::event::internal {

// Reused from event to event; not thread-safe.
class EventDraft {
 public:
  explicit EventDraft(const DecodeLimits& limits) : limits_(limits) {}

  // Forgets the event before. Slices given later belong to `batch`.
  void Begin(EventBatch& batch) {
    batch_ = &batch;
    present_ = named_ = empty_ = 0;
    failed_ = type_checked_ = false;
    extensions_.clear();
  }

  // Notes that a slot other than kSlotExtension was named. A second time is a problem.
  void Name(Slot slot) {
    if ((named_ & Bit(slot)) != 0) [[unlikely]] FailTwice(SlotName(slot));
    named_ |= Bit(slot);
  }
  void Put(Slot slot, Slice value) {
    present_ |= Bit(slot);
    empty_ = (empty_ & ~Bit(slot)) | (value.length == 0 ? Bit(slot) : 0);
    values_[slot] = value;
  }
  // A null slice: named, but absent.
  void PutExtension(Slice name, Slice value);

  bool has(Slot slot) const { return (present_ & Bit(slot)) != 0; }
  bool has(Attribute a) const { return has(SlotOf(a)); }
  Slice value(Slot slot) const { return values_[slot]; }
  Slice value(Attribute a) const { return values_[SlotOf(a)]; }
  EventBatch& batch() { return *batch_; }

  // The event will be rejected. Of several problems the first is told.
  void Fail(std::string pointer, std::string reason);
  bool failed() const { return failed_; }
  // Whether the event says that its data is something else than JSON. REQUIRES: nothing failed.
  bool HasOtherThanJson();

  // Appends the row, or the rejection (false). `index`: where the event stands in its request.
  bool Commit(uint32_t index);

 private:
  void Check();
  void CheckContentType();
  void CheckPresent();
  void FailTwice(std::string_view name);
  std::string_view View(Attribute a) const { return batch_->View(values_[SlotOf(a)]); }

  DecodeLimits limits_;
  EventBatch* batch_ = nullptr;
  std::array<Slice, kSlotCount> values_;
  uint32_t present_ = 0, named_ = 0, empty_ = 0;  // bit per slot; empty ones are present
  std::vector<Extension> extensions_;
  bool failed_ = false, type_checked_ = false;
  std::string pointer_, reason_;
  int64_t time_us_ = EventBatch::kNoTime;
  std::string known_type_;  // the last valid datacontenttype, and what it is: most events repeat it
  bool known_type_is_json_ = false;
};

}  // namespace sluice::event::internal
