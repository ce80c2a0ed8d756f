// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Walks over events in the JSON format. Events of one producer have their members in the same order, so the walker predicts each
// name by its number: one vector compare instead of a search.

#include <array>
#include <string_view>

#include "event/internal/event_draft.h"
#include "event/internal/json_cursor.h"

namespace sluice::event::internal {

// Reused from text to text; not thread-safe.
class EventWalker {
 public:
  explicit EventWalker(const DecodeLimits& limits);

  // Goes to the first structural of `text`, which `index` was built from and which lies in the bytes of `batch`.
  // REQUIRES: 64 readable bytes behind `text`; both outlive the walk.
  void Start(std::string_view text, const StructuralIndex& index, ByteClasses classes, EventBatch& batch);

  // Reads the value at the cursor as an event. False: it is not JSON, see cursor().error.
  // REQUIRES: the last structural of the text is `}` or `]`.
  bool Parse();
  // Appends the event read last as a row of the batch, or as a rejection (false).
  bool Commit(uint32_t index);

  JsonCursor& cursor() { return cursor_; }
  EventDraft& draft() { return draft_; }

 private:
  struct Prediction {
    alignas(16) char name[16];  // with the closing quote
    uint32_t mask = 0;          // of the bytes that count; 0: none yet
    Slot slot = kSlotExtension;
  };

  bool Member(Prediction& prediction);
  bool Value(Slot slot, Slice name);
  Slot ReadName(std::string_view raw, Slice& name);
  bool StringValue(Slice& value, bool& valid);
  bool OtherValue(Slot slot, Slice name);
  bool DataValue();
  void Assign(Slot slot, Slice name, Slice value);
  void FailValue(Slot slot, Slice name, const char* must);
  void FinishData();
  Slice SliceAt(uint32_t begin, uint32_t finish) { return {offset_ + begin, finish - begin}; }

  DecodeLimits limits_;
  JsonCursor cursor_;
  EventDraft draft_;
  EventBatch* batch_ = nullptr;
  uint32_t offset_ = 0;              // position of the text's first byte in the batch
  uint32_t begin_ = 0, finish_ = 0;  // of the event in the text
  std::array<Prediction, 32> predictions_;
};

}  // namespace sluice::event::internal
