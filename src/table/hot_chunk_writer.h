// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Lays events into a hot chunk, at append, while the request's bytes are still in the processor's caches.
//
//   packed batch: [record][record][record] ── one copy ──▶ heap; views point into it
//   other batch:  each text that is too long for its view ── a copy each ──▶ heap
//
// A text of a column whose values repeat shares the bytes of one before it: readers find few of them, and find them warm.

#include <array>
#include <cstdint>
#include <span>

#include "base/principal.h"
#include "base/time.h"
#include "event/event_batch.h"
#include "log/types.h"
#include "table/hot_chunk_format.h"

namespace sluice::table {

// Rows of one request that went to one log partition, and what the log added to them. References: valid during the call.
struct EventRows {
  const event::EventBatch& batch;
  std::span<const uint32_t> rows;  // row numbers of `batch`; rows[i] stands at base_offset + i
  std::span<const uint8_t> late;   // 0 or 1 for each of `rows`
  log::LogPartition partition;
  log::Offset base_offset;
  Timestamp append_time;
  const Principal& principal;
  int32_t payload_schema_id = 0;  // 0: none
};

// Writes one chunk. Not thread-safe; the chunk's bytes must outlive it.
class HotChunkWriter {
 public:
  // Makes `chunk` an empty chunk; what it held before is forgotten (pages are recycled without being zeroed).
  // REQUIRES: kBytesMin <= chunk.size() < 2^31, 64-byte aligned.
  explicit HotChunkWriter(std::span<char> chunk);
  static constexpr size_t kBytesMin = size_t{64} << 10;

  // Appends rows [first, first + n) of `events.rows` and returns n: less than what is left when the chunk is full, 0 when not
  // even one row fits. An event always fits into an empty chunk of the default size (it is at most 1 MiB).
  size_t Append(const EventRows& events, size_t first);
  // Whether Append would take all of them.
  bool Fits(const EventRows& events) const { return CountFitting(events, 0) == events.rows.size(); }

  uint32_t rows() const { return rows_; }
  // The views of a column of texts that every row has, and the text of one of them.
  const StringView* views(EventColumn c) const {
    return reinterpret_cast<const StringView*>(base_ + header().regions[static_cast<size_t>(c)] + layout(c).values);
  }
  std::string_view Text(const StringView& view) const { return TextOf(base_, view); }
  // Bytes [0, heap_end) and [optional_begin, end) of the chunk are all that a reader looks at.
  size_t heap_end() const { return heap_end_; }
  size_t optional_begin() const { return optional_begin_; }
  // Of all rows; meaningless while rows() is 0.
  int64_t time_us_min() const { return time_us_min_; }
  int64_t time_us_max() const { return time_us_max_; }

 private:
  HotChunkHeader& header() { return *reinterpret_cast<HotChunkHeader*>(base_); }
  const HotChunkHeader& header() const { return *reinterpret_cast<const HotChunkHeader*>(base_); }
  char* region(EventColumn c) { return base_ + header().regions[static_cast<size_t>(c)]; }
  const HotRegionLayout& layout(EventColumn c) const { return layouts_[static_cast<size_t>(c)]; }
  size_t FreeBytes() const { return optional_begin_ - heap_end_; }

  size_t CountFitting(const EventRows& events, size_t first) const;
  size_t MissingRegionBytes(const EventRows& events) const;
  void AddFixedRegion(const EventColumnSpec& column);
  void AddOptionalRegion(EventColumn c);
  void CopyRecords(const EventRows& events, size_t first, size_t n);
  StringView Put(EventColumn c, std::string_view text);
  StringView* Recent(EventColumn c, std::string_view text);
  int32_t Locate(std::string_view text);
  void AppendAttribute(const EventRows& events, size_t first, size_t n, const EventColumnSpec& column);
  void AppendExtensions(const EventRows& events, size_t first, size_t n);
  void AppendTimes(const EventRows& events, size_t first, size_t n);
  void AppendPlacement(const EventRows& events, size_t first, size_t n);
  void AppendConstant(EventColumn c, std::string_view text, size_t n);

  char* base_;
  const uint32_t rows_max_, map_entries_max_;
  size_t heap_end_;        // bytes [.., heap_end_) are fixed columns and strings
  size_t optional_begin_;  // bytes [optional_begin_, end) are regions of optional columns
  uint32_t rows_ = 0;
  uint32_t map_entries_ = 0;
  int64_t time_us_min_ = INT64_MAX, time_us_max_ = INT64_MIN;
  std::array<HotRegionLayout, kEventColumnCount> layouts_;
  // Where the records of the rows at hand are, and where in the heap their copy is. Empty: texts at hand are in none.
  std::string_view records_;
  size_t records_copy_ = 0;
  // Views of columns whose values repeat, that came lately: a text's bytes choose its slot.
  static constexpr size_t kRecentSlots = 8;
  std::array<std::array<StringView, kRecentSlots>, kEventColumnCount> recent_{};
};

}  // namespace sluice::table
