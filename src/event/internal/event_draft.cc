// SPDX-License-Identifier: Apache-2.0
#include "event/internal/event_draft.h"

#include "base/time.h"

namespace sluice::event::internal {
namespace {

template <size_t kCount>
constexpr uint32_t BitsOf(const Slot (&slots)[kCount]) {
  uint32_t bits = 0;
  for (Slot slot : slots) bits |= Bit(slot);
  return bits;
}

std::string Quoted(std::string_view name) { return "\"" + PointerTo(name).substr(1) + "\""; }

}  // namespace

void EventDraft::PutExtension(Slice name, Slice value) {
  std::string_view text = batch_->View(name);
  for (const Extension& e : extensions_)
    if (batch_->View(e.name) == text) return FailTwice(text);
  if (extensions_.size() >= limits_.extensions_max)
    return Fail("", "an event has more than " + std::to_string(limits_.extensions_max) + " extension attributes");
  extensions_.push_back({0, name, value});
}

void EventDraft::Fail(std::string pointer, std::string reason) {
  if (failed_) return;
  failed_ = true;
  pointer_ = std::move(pointer);
  reason_ = std::move(reason);
}

void EventDraft::FailTwice(std::string_view name) { Fail(PointerTo(name), "attribute " + Quoted(name) + " occurs twice"); }

bool EventDraft::HasOtherThanJson() {
  CheckContentType();
  return !failed_ && has(Attribute::kDataContentType) && !known_type_is_json_;
}

void EventDraft::CheckContentType() {
  if (!has(Attribute::kDataContentType) || type_checked_) return;
  type_checked_ = true;
  std::string_view type = View(Attribute::kDataContentType);
  if (type == known_type_) return;
  if (!IsMediaType(type)) return Fail("/datacontenttype", "datacontenttype must be a media type such as application/json");
  known_type_ = type;
  known_type_is_json_ = IsJsonMediaType(type);
}

// Whether what must be there is, and what must not be empty is not. All at once first: nearly every event is right.
void EventDraft::CheckPresent() {
  static constexpr Slot kRequired[] = {kSlotSpecVersion, SlotOf(Attribute::kId), SlotOf(Attribute::kSource), SlotOf(Attribute::kType)};
  static constexpr Slot kNotEmpty[] = {SlotOf(Attribute::kId), SlotOf(Attribute::kSource), SlotOf(Attribute::kType), SlotOf(Attribute::kSubject),
                                       SlotOf(Attribute::kDataSchema), SlotOf(Attribute::kDataContentType)};
  static constexpr uint32_t kRequiredBits = BitsOf(kRequired), kNotEmptyBits = BitsOf(kNotEmpty);
  if ((present_ & kRequiredBits) == kRequiredBits && (empty_ & kNotEmptyBits) == 0) [[likely]] return;
  for (Slot slot : kRequired)
    if (!has(slot)) return Fail(PointerTo(SlotName(slot)), "required attribute " + Quoted(SlotName(slot)) + " is missing");
  for (Slot slot : kNotEmpty)
    if ((empty_ & Bit(slot)) != 0) return Fail(PointerTo(SlotName(slot)), "attribute " + Quoted(SlotName(slot)) + " must not be empty");
}

void EventDraft::Check() {
  CheckPresent();
  if (failed_) [[unlikely]] return;
  if (batch_->View(values_[kSlotSpecVersion]) != "1.0") [[unlikely]] return Fail("/specversion", "specversion must be \"1.0\"");
  CheckContentType();
  time_us_ = EventBatch::kNoTime;
  Timestamp time;
  if (!has(Attribute::kTime)) return;
  if (base::ParseRfc3339(View(Attribute::kTime), time)) time_us_ = time.us;
  else Fail("/time", "time must be RFC 3339 with seconds and an offset, such as 2026-01-15T00:00:00Z");
}

bool EventDraft::Commit(uint32_t index) {
  if (!failed_) Check();
  if (failed_) {
    batch_->Reject(index, std::move(pointer_), std::move(reason_));
    return false;
  }
  constexpr uint32_t kColumns = (1u << kAttributeCount) - 1;
  size_t row = batch_->AddRow(index, present_ & kColumns, values_.data(), time_us_);
  for (const Extension& e : extensions_)
    if (e.value.position != 0) batch_->AddExtension(row, e.name, e.value);
  return true;
}

}  // namespace sluice::event::internal
