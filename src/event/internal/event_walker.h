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
  // The name of a member, and the prediction of it for the next event.
  struct Name {
    // Whether the same bytes stand at `member`: then it is a name of the same slot, and the colon behind it.
    bool IsAt(const char* member) const;

    alignas(32) char text[32];  // from the opening quote to the colon
    uint32_t mask = 0;          // of the bytes that count; 0: no prediction
    Slot slot = kSlotExtension;
    Slice slice;  // without quotes
  };

  // These take a place in the index and return the one behind what they read; null: it is not JSON, see cursor().error.
  const uint32_t* Member(const uint32_t* i, Name& name);
  const uint32_t* TextValue(const uint32_t* i, const Name& name);
  const uint32_t* DataValue(const uint32_t* i);
  const uint32_t* OtherValue(const uint32_t* i, const Name& name);

  bool ReadName(const uint32_t* i, Name& name);
  Slot FindName(std::string_view raw, Slice& name);
  Slice CheckedText(Slice raw, const Name& name);
  void Assign(const Name& name, Slice value);
  void FailValue(const Name& name, const char* must);
  void FinishData();
  Slice SliceAt(uint32_t begin, uint32_t finish) { return {offset_ + begin, finish - begin}; }

  DecodeLimits limits_;
  JsonCursor cursor_;
  EventDraft draft_;
  EventBatch* batch_ = nullptr;
  uint32_t offset_ = 0;              // position of the text's first byte in the batch
  uint32_t begin_ = 0, finish_ = 0;  // of the event in the text
  bool is_plain_ = false;            // no value has to be looked at byte by byte
  std::array<Name, 32> names_;       // by number of the member, as read last
};

}  // namespace sluice::event::internal
