// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// EventBatch: the events of one request, or of one RecordBatch, by column. Values are slices of the bytes they came in or of the
// batch's own arena (what had to be unescaped or decoded); nothing is copied that can be pointed at.
//
//            id        source     type      ...      time_us
//   row 0  [pos,len]  [pos,len]  [pos,len]           int64        pos 0: absent; n: starts at byte n - 1
//   row 1  [pos,len]  [pos,len]  [pos,len]           int64        top bit of pos: in the arena
//
// Every row is a valid CloudEvent; what was refused stands in rejected().

#include <array>
#include <bit>
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
  kId,
  kSource,
  kType,
  kTime,
  kSubject,
  kDataContentType,
  kDataSchema,
  kData,        // JSON text as it came, byte for byte; or text (a JSON string under a non-JSON content type is unquoted)
  kDataBinary,  // decoded data_base64, or bytes that are not UTF-8
  kTraceParent,
  kTraceState,
  kPartitionKey,
  kSequence,
  kCorrelationId,
  kCausationId,
  kSchemaVersion,
};
inline constexpr size_t kAttributeCount = 16;

// A place in the bytes of a batch or in its arena: see the drawing. Made by EventBatch only.
struct Slice {
  uint32_t position = 0;
  uint32_t length = 0;
};
inline constexpr uint32_t kArenaBit = 0x80000000u;

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
  std::string_view Get(Attribute a, size_t row) const { return has(a) ? View(columns_[static_cast<size_t>(a)][row]) : std::string_view(); }
  // The same as a slice: it stays true while the arena grows.
  Slice GetSlice(Attribute a, size_t row) const { return has(a) ? columns_[static_cast<size_t>(a)][row] : Slice(); }
  // Event time; kNoTime when the event has none (the log puts its append time there).
  static constexpr int64_t kNoTime = INT64_MIN;
  int64_t time_us(size_t row) const { return time_us_[row]; }
  // Extensions of all rows, ordered by row; and those of one row.
  std::span<const Extension> extensions() const { return extensions_; }
  std::span<const Extension> extensions(size_t row) const;
  std::string_view View(Slice s) const {
    if (s.position == 0) return {};
    return {(s.position & kArenaBit) != 0 ? arena_.data() + (s.position & ~kArenaBit) : bytes_.data() + (s.position - 1), s.length};
  }
  // Where row `row` stood in the request (rejected events leave gaps).
  uint32_t index(size_t row) const { return index_[row]; }
  std::span<const RejectedEvent> rejected() const { return rejected_; }
  // Rejected events in all; only the first kRejectedListed are in rejected().
  uint32_t rejected_count() const { return rejected_count_; }
  static constexpr size_t kRejectedListed = 100;
  // About how many bytes the rows take as records: for bounds and quotas.
  size_t byte_size() const { return byte_size_ + rows_ * kRecordOverhead; }
  static constexpr size_t kRecordOverhead = 96;  // lengths, header names, ce_specversion of a usual event
  // Bytes of the values of one row, names of extensions included.
  size_t value_bytes(size_t row) const { return value_bytes_[row]; }
  // True: all values lie in one string of bytes, as records do, those of a record behind those of the record before it.
  bool is_packed() const { return is_packed_; }
  // That string. REQUIRES: is_packed().
  std::string_view bytes() const { return bytes_; }
  // The part [begin, end) of it with all values of a row. REQUIRES: is_packed().
  struct Extent {
    size_t begin, end;
  };
  Extent ExtentOf(size_t row) const;

  // ---- for decoders ----

  // Appends an empty row that stood at `index` and returns its number.
  size_t AddRow(uint32_t index) { return AddRow(index, 0, nullptr, kNoTime); }
  // The same, with values: bit a of `present` says that values[a] is one.
  size_t AddRow(uint32_t index, uint32_t present, const Slice* values, int64_t time_us) {
    if (rows_ == capacity_) Grow();
    for (uint32_t fresh = present & ~used_; fresh != 0; fresh &= fresh - 1) StartColumn(static_cast<size_t>(std::countr_zero(fresh)));
    size_t bytes = 0;
    for (uint32_t bits = present; bits != 0; bits &= bits - 1) {
      auto a = static_cast<size_t>(std::countr_zero(bits));
      columns_[a][rows_] = values[a];
      bytes += values[a].length;
    }
    for (uint32_t bits = used_ & ~present; bits != 0; bits &= bits - 1) columns_[static_cast<size_t>(std::countr_zero(bits))][rows_] = {};
    time_us_[rows_] = time_us;
    index_[rows_] = index;
    value_bytes_[rows_] = static_cast<uint32_t>(bytes);
    byte_size_ += bytes;
    return rows_++;
  }
  // Takes the newest row back, with its extensions.
  void DropRow();
  // REQUIRES: the row has no such value yet.
  void Set(Attribute a, size_t row, Slice value);
  void SetTime(size_t row, int64_t us) { time_us_[row] = us; }
  // REQUIRES: `row` is the newest.
  void AddExtension(size_t row, Slice name, Slice value);
  void Reject(uint32_t index, std::string pointer, std::string reason);
  // A slice of the bytes given to Reset. REQUIRES: `view` points into them.
  Slice SliceOf(std::string_view view) const {
    return {static_cast<uint32_t>(view.data() - bytes_.data()) + 1, static_cast<uint32_t>(view.size())};
  }
  // Copies `value` into the arena.
  Slice Store(std::string_view value);
  // Room for `n` bytes in the arena, to be written at `at` before the next call of anything here.
  Slice Allocate(size_t n, char*& at);
  // Cuts `newest`, the last slice of the arena, to `n` bytes.
  void Trim(Slice& newest, size_t n);

  // Says that is_packed(). REQUIRES: it is so, and nothing is added any more.
  void MarkPacked() { is_packed_ = true; }

  // ---- for the encoder: values move to where they were copied ----

  // The value of `row` will stand at `position` of the bytes given to FinishMove. REQUIRES: it has one.
  void Move(Attribute a, size_t row, size_t position) {
    columns_[static_cast<size_t>(a)][row].position = static_cast<uint32_t>(position) + 1;
  }
  // The same for extension `number` of extensions().
  void MoveExtension(size_t number, size_t name_position, size_t value_position) {
    extensions_[number].name.position = static_cast<uint32_t>(name_position) + 1;
    extensions_[number].value.position = static_cast<uint32_t>(value_position) + 1;
  }
  // Slices point into `bytes` now: it is packed. REQUIRES: as Reset; all values of all rows were moved.
  void FinishMove(std::string_view bytes);

 private:
  void Grow();
  void StartColumn(size_t a);

  std::string_view bytes_;
  size_t rows_ = 0, capacity_ = 0;
  uint32_t used_ = 0;                                              // bit per attribute
  std::array<std::unique_ptr<Slice[]>, kAttributeCount> columns_;  // null or capacity_ long
  std::unique_ptr<int64_t[]> time_us_;
  std::unique_ptr<uint32_t[]> index_;
  std::unique_ptr<uint32_t[]> value_bytes_;
  std::vector<Extension> extensions_;
  std::string arena_;  // capacity: 64 bytes more than size (vector loads)
  std::vector<RejectedEvent> rejected_;
  uint32_t rejected_count_ = 0;
  size_t byte_size_ = 0;
  bool is_packed_ = false;
};

}  // namespace sluice::event
