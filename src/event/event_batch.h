// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// EventBatch: the events of one request, or of one RecordBatch, by column. Values are slices of the bytes they came in or of the
// batch's own arena (what had to be unescaped or decoded); nothing is copied that can be pointed at.
//
//            id        source     type      ...      time_us
//   row 0  [pos,len]  [pos,len]  [pos,len]           int64        pos 0: absent
//   row 1  [pos,len]  [pos,len]  [pos,len]           int64        top bit of pos: in the arena
//
// Every row is a valid CloudEvent; what was refused stands in rejected().

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace sluice::event {

// The attributes with a column of their own, and the two forms of data.
enum class Attribute : uint8_t {
  kId, kSource, kType, kTime, kSubject, kDataContentType, kDataSchema,
  kData,        // JSON text as it came, byte for byte; or text (a JSON string under a non-JSON content type is unquoted)
  kDataBinary,  // decoded data_base64, or bytes that are not UTF-8
  kTraceParent, kTraceState, kPartitionKey, kSequence, kCorrelationId, kCausationId, kSchemaVersion,
};
inline constexpr size_t kAttributeCount = 16;

struct Slice {
  uint32_t position = 0;
  uint32_t length = 0;
};

// A CloudEvents extension attribute without a column of its own.
struct Extension {
  uint32_t row;
  Slice name, value;
};

// An event that was refused: where it stood in the request, what part of it, and why.
struct RejectedEvent {
  uint32_t index;       // of the event in the request, from 0
  std::string pointer;  // JSON pointer into the event ("/time"), or "" for the whole event
  std::string reason;   // one sentence, lower case, no period
};

// Not thread-safe. Reused from request to request: Reset keeps its memory.
class EventBatch {
 public:
  // Forgets everything; slices will point into `bytes`, which must outlive the use of this batch.
  // REQUIRES: 64 readable bytes behind `bytes` (vector loads), bytes.size() < 2^31.
  void Reset(std::string_view bytes);

  size_t rows() const { return rows_; }
  // Whether any row has a value.
  bool has(Attribute a) const { return (used_ >> static_cast<unsigned>(a) & 1) != 0; }
  // Absent values are null views (data() == nullptr); an empty value has data() != nullptr.
  std::string_view Get(Attribute a, size_t row) const {
    return has(a) ? View(columns_[static_cast<size_t>(a)][row]) : std::string_view();
  }
  // Event time; kNoTime when the event has none (the log puts its append time there).
  static constexpr int64_t kNoTime = INT64_MIN;
  int64_t time_us(size_t row) const { return time_us_[row]; }
  // Extensions of all rows, ordered by row; and those of one row.
  std::span<const Extension> extensions() const { return extensions_; }
  std::span<const Extension> extensions(size_t row) const;
  std::string_view View(Slice s) const {
    if (s.position == 0) return {};
    return {(s.position >> 31) != 0 ? arena_.data() + (s.position & 0x7fffffffu) : bytes_.data() + s.position, s.length};
  }
  // Where row `row` stood in the request (rejected events leave gaps).
  uint32_t index(size_t row) const { return index_[row]; }
  std::span<const RejectedEvent> rejected() const { return rejected_; }
  // Rejected events in all; only the first kRejectedListed are in rejected().
  uint32_t rejected_count() const { return rejected_count_; }
  static constexpr size_t kRejectedListed = 100;
  // About how many bytes the rows take as records: for bounds and quotas.
  size_t byte_size() const { return byte_size_; }

  // ---- for decoders ----

  // Appends an empty row that stood at `index` and returns its number.
  size_t AddRow(uint32_t index);
  // Takes the newest row back, with its extensions.
  void DropRow();
  void Set(Attribute a, size_t row, Slice value);
  void SetTime(size_t row, int64_t us) { time_us_[row] = us; }
  void AddExtension(size_t row, Slice name, Slice value) { extensions_.push_back({static_cast<uint32_t>(row), name, value}); }
  void Reject(uint32_t index, std::string pointer, std::string reason);
  void set_byte_size(size_t n) { byte_size_ = n; }
  // A slice of the bytes given to Reset. REQUIRES: `view` points into them, not at their first byte.
  Slice SliceOf(std::string_view view) const { return {static_cast<uint32_t>(view.data() - bytes_.data()), static_cast<uint32_t>(view.size())}; }
  // Copies `value` into the arena.
  Slice Store(std::string_view value);

 private:
  void Grow();

  std::string_view bytes_;
  size_t rows_ = 0, capacity_ = 0;
  uint32_t used_ = 0;  // bit per attribute
  std::array<std::unique_ptr<Slice[]>, kAttributeCount> columns_;
  std::unique_ptr<int64_t[]> time_us_;
  std::unique_ptr<uint32_t[]> index_;
  std::vector<Extension> extensions_;
  std::string arena_;
  std::vector<RejectedEvent> rejected_;
  uint32_t rejected_count_ = 0;
  size_t byte_size_ = 0;
};

}  // namespace sluice::event
