// SPDX-License-Identifier: Apache-2.0
#include "table/hot_chunk_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace sluice::table {
namespace {

// Columns whose neighbours often hold the same text: they share one copy of its bytes.
constexpr bool Repeats(EventColumn c) {
  switch (c) {
    case EventColumn::kSource:
    case EventColumn::kType:
    case EventColumn::kSubject:
    case EventColumn::kDataContentType:
    case EventColumn::kDataSchema:
    case EventColumn::kSchemaVersion:
    case EventColumn::kTenant:
    case EventColumn::kProducer: return true;
    default: return false;
  }
}

void SetValid(char* bits, uint32_t row) { bits[row >> 3] = static_cast<char>(bits[row >> 3] | 1 << (row & 7)); }

bool RowHasExtensions(const event::EventBatch& batch, uint32_t row) { return !batch.extensions(row).empty(); }

// Bytes that a text takes in the heap.
size_t FarBytes(size_t length) { return length > static_cast<size_t>(kInlinedMax) ? length : 0; }

// The same for all texts of a row.
size_t FarBytes(const event::EventBatch& batch, uint32_t row) {
  size_t bytes = 0;
  for (auto& column : EventColumns())
    if (column.attribute) bytes += FarBytes(batch.Get(*column.attribute, row).size());
  if (!batch.extensions().empty())
    for (auto& e : batch.extensions(row)) bytes += FarBytes(e.name.length) + FarBytes(e.value.length);
  return bytes;
}

// The records of rows [first, first + n) of a packed batch, and of rows between them that were duplicates.
std::string_view RecordsOf(const EventRows& events, size_t first, size_t n) {
  const size_t begin = events.batch.ExtentOf(events.rows[first]).begin, end = events.batch.ExtentOf(events.rows[first + n - 1]).end;
  return events.batch.bytes().substr(begin, end - begin);
}

// What rows [first, first + n) take in the heap, at most.
size_t HeapBytes(const EventRows& events, size_t first, size_t n) {
  return events.batch.is_packed() ? RecordsOf(events, first, n).size() : events.batch.byte_size();
}

}  // namespace

HotChunkWriter::HotChunkWriter(std::span<char> chunk)
    : base_(chunk.data()),
      rows_max_(HotChunkRows(chunk.size())),
      map_entries_max_(HotChunkMapEntries(chunk.size())),
      heap_end_(kHotChunkHeaderBytes),
      optional_begin_(chunk.size()) {
  CHECK(chunk.size() >= kBytesMin && chunk.size() < (size_t{1} << 31), "a hot chunk of a size that positions cannot address");
  std::memset(base_, 0, kHotChunkHeaderBytes);
  header() = {kHotChunkMagic, rows_max_, map_entries_max_, chunk.size(), {}};
  for (auto& column : EventColumns()) {
    layouts_[static_cast<size_t>(column.column)] = LayoutOf(column, rows_max_, map_entries_max_);
    if (column.required && column.column != EventColumn::kSpecVersion) AddFixedRegion(column);
  }
}

void HotChunkWriter::AddFixedRegion(const EventColumnSpec& column) {
  header().regions[static_cast<size_t>(column.column)] = static_cast<uint32_t>(heap_end_);
  heap_end_ += layout(column.column).bytes;
}

// REQUIRES: it was counted in MissingRegionBytes.
void HotChunkWriter::AddOptionalRegion(EventColumn c) {
  const auto& l = layout(c);
  CHECK(l.bytes <= FreeBytes(), "an optional column that was not counted");
  optional_begin_ -= l.bytes;
  header().regions[static_cast<size_t>(c)] = static_cast<uint32_t>(optional_begin_);
  char* to = region(c);
  std::memset(to + l.validity, 0, rows_max_ / 8 + 1);
  if (c == EventColumn::kExtensions) std::memset(to + l.offsets, 0, (size_t{rows_} + 1) * sizeof(int32_t));
}

size_t HotChunkWriter::MissingRegionBytes(const EventRows& events) const {
  const auto& h = header();
  size_t bytes = 0;
  for (auto& column : EventColumns()) {
    if (column.required || h.regions[static_cast<size_t>(column.column)] != 0) continue;
    bool needed = column.attribute                            ? events.batch.has(*column.attribute)
                  : column.column == EventColumn::kExtensions ? !events.batch.extensions().empty()
                  : column.column == EventColumn::kProducer   ? !events.principal.producer.empty()
                                                              : events.payload_schema_id != 0;
    if (needed) bytes += layout(column.column).bytes;
  }
  return bytes;
}

// How many of the rows from `first` on fit, by the bytes that they take in the heap when no text is shared.
size_t HotChunkWriter::CountFitting(const EventRows& events, size_t first) const {
  const size_t regions = MissingRegionBytes(events) + FarBytes(events.principal.tenant.size()) + FarBytes(events.principal.producer.size());
  if (regions > FreeBytes()) return 0;
  const size_t room = FreeBytes() - regions;
  const size_t limit = std::min(events.rows.size() - first, static_cast<size_t>(rows_max_ - rows_));
  const bool extended = !events.batch.extensions().empty();
  if (!extended && limit > 0 && HeapBytes(events, first, limit) <= room) return limit;
  size_t entries = map_entries_, bytes = 0;
  for (size_t i = 0; i < limit; i++) {
    bytes = events.batch.is_packed() ? HeapBytes(events, first, i + 1) : bytes + FarBytes(events.batch, events.rows[first + i]);
    if (extended) entries += events.batch.extensions(events.rows[first + i]).size();
    if (bytes > room || entries > map_entries_max_) return i;
  }
  return limit;
}

void HotChunkWriter::CopyRecords(const EventRows& events, size_t first, size_t n) {
  if (!events.batch.is_packed()) return;
  records_ = RecordsOf(events, first, n);
  records_copy_ = heap_end_;
  std::memcpy(base_ + heap_end_, records_.data(), records_.size());
  heap_end_ += records_.size();
}

// Where the bytes of `text` are in the heap.
int32_t HotChunkWriter::Locate(std::string_view text) {
  if (!records_.empty()) return static_cast<int32_t>(records_copy_ + static_cast<size_t>(text.data() - records_.data()));
  const size_t at = heap_end_;
  std::memcpy(base_ + at, text.data(), text.size());
  heap_end_ += text.size();
  return static_cast<int32_t>(at);
}

// REQUIRES: a text that is not inlined. Null: the column's values hardly repeat.
StringView* HotChunkWriter::Recent(EventColumn c, std::string_view text) {
  if (!Repeats(c)) return nullptr;
  uint64_t last = 0;
  std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
  static_assert(kRecentSlots == 8);
  return &recent_[static_cast<size_t>(c)][(last + text.size()) * 0x9e3779b97f4a7c15 >> 61];
}

StringView HotChunkWriter::Put(EventColumn c, std::string_view text) {
  StringView view{};
  view.length = static_cast<int32_t>(text.size());
  if (view.length <= kInlinedMax) {
    if (!text.empty()) std::memcpy(view.inlined, text.data(), text.size());
    return view;
  }
  StringView* recent = Recent(c, text);
  if (recent != nullptr && recent->length == view.length && std::memcmp(base_ + recent->far.position, text.data(), text.size()) == 0)
    return *recent;
  std::memcpy(view.far.prefix, text.data(), sizeof view.far.prefix);
  view.far.position = Locate(text);
  if (recent != nullptr) *recent = view;
  return view;
}

void HotChunkWriter::AppendAttribute(const EventRows& events, size_t first, size_t n, const EventColumnSpec& column) {
  const auto attribute = *column.attribute;
  if (!events.batch.has(attribute)) return;  // rows stay invalid
  if (header().regions[static_cast<size_t>(column.column)] == 0) AddOptionalRegion(column.column);
  char* to = region(column.column);
  auto* views = reinterpret_cast<StringView*>(to + layout(column.column).values) + rows_;
  for (size_t i = 0; i < n; i++) {
    auto text = events.batch.Get(attribute, events.rows[first + i]);
    if (text.data() == nullptr) {
      views[i] = {};
      continue;
    }
    views[i] = Put(column.column, text);
    if (!column.required) SetValid(to + layout(column.column).validity, rows_ + static_cast<uint32_t>(i));
  }
}

void HotChunkWriter::AppendExtensions(const EventRows& events, size_t first, size_t n) {
  const auto c = EventColumn::kExtensions;
  if (header().regions[static_cast<size_t>(c)] == 0) {
    if (events.batch.extensions().empty()) return;
    AddOptionalRegion(c);
  }
  char* to = region(c);
  auto* offsets = reinterpret_cast<int32_t*>(to + layout(c).offsets) + rows_;
  auto* keys = reinterpret_cast<StringView*>(to + layout(c).values);
  auto* values = reinterpret_cast<StringView*>(to + layout(c).map_values);
  for (size_t i = 0; i < n; i++) {
    uint32_t row = events.rows[first + i];
    for (auto& e : events.batch.extensions(row)) {
      keys[map_entries_] = Put(c, events.batch.View(e.name));
      values[map_entries_++] = Put(c, events.batch.View(e.value));
    }
    offsets[i + 1] = static_cast<int32_t>(map_entries_);
    if (RowHasExtensions(events.batch, row)) SetValid(to + layout(c).validity, rows_ + static_cast<uint32_t>(i));
  }
}

void HotChunkWriter::AppendTimes(const EventRows& events, size_t first, size_t n) {
  auto* times = reinterpret_cast<int64_t*>(region(EventColumn::kTime)) + rows_;
  auto* ingested = reinterpret_cast<int64_t*>(region(EventColumn::kIngestedAt)) + rows_;
  for (size_t i = 0; i < n; i++) {
    int64_t us = events.batch.time_us(events.rows[first + i]);
    if (us == event::EventBatch::kNoTime) us = events.append_time.us;
    times[i] = us;
    ingested[i] = events.append_time.us;
    time_us_min_ = std::min(time_us_min_, us);
    time_us_max_ = std::max(time_us_max_, us);
  }
}

void HotChunkWriter::AppendPlacement(const EventRows& events, size_t first, size_t n) {
  auto* partitions = reinterpret_cast<int32_t*>(region(EventColumn::kLogPartition)) + rows_;
  auto* offsets = reinterpret_cast<int64_t*>(region(EventColumn::kLogOffset)) + rows_;
  auto* late = reinterpret_cast<uint8_t*>(region(EventColumn::kIsLateArrival)) + rows_;
  for (size_t i = 0; i < n; i++) {
    partitions[i] = events.partition.get();
    offsets[i] = events.base_offset.get() + static_cast<int64_t>(first + i);
    late[i] = events.late[first + i];
  }
  if (events.payload_schema_id == 0) return;
  const auto c = EventColumn::kSchemaId;
  if (header().regions[static_cast<size_t>(c)] == 0) AddOptionalRegion(c);
  auto* ids = reinterpret_cast<int32_t*>(region(c) + layout(c).values) + rows_;
  for (size_t i = 0; i < n; i++) {
    ids[i] = events.payload_schema_id;
    SetValid(region(c) + layout(c).validity, rows_ + static_cast<uint32_t>(i));
  }
}

// The same text in `n` rows; empty means null where the column is optional.
void HotChunkWriter::AppendConstant(EventColumn c, std::string_view text, size_t n) {
  const bool required = EventColumns()[static_cast<size_t>(c)].required;
  if (text.empty() && !required) return;
  if (header().regions[static_cast<size_t>(c)] == 0) AddOptionalRegion(c);
  const StringView view = Put(c, text);
  auto* views = reinterpret_cast<StringView*>(region(c) + layout(c).values) + rows_;
  std::fill(views, views + n, view);
  if (!required)
    for (uint32_t i = 0; i < n; i++) SetValid(region(c) + layout(c).validity, rows_ + i);
}

size_t HotChunkWriter::Append(const EventRows& events, size_t first) {
  CHECK(first <= events.rows.size() && events.late.size() == events.rows.size(), "rows and verdicts of different counts");
  const size_t n = CountFitting(events, first);
  if (n == 0) return 0;
  CopyRecords(events, first, n);
  for (auto& column : EventColumns())
    if (column.attribute) AppendAttribute(events, first, n, column);
  AppendExtensions(events, first, n);
  records_ = {};
  AppendTimes(events, first, n);
  AppendPlacement(events, first, n);
  AppendConstant(EventColumn::kTenant, events.principal.tenant, n);
  AppendConstant(EventColumn::kProducer, events.principal.producer, n);
  rows_ += static_cast<uint32_t>(n);
  return n;
}

}  // namespace sluice::table
