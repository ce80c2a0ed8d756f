// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "event/record_batch_encoder.h"
#include "table/hot_chunk_reader.h"
#include "table/hot_chunk_writer.h"
#include "table/hot_columns.h"

namespace sluice::table {
namespace {

using event::Attribute;
using event::EventBatch;

// 64-byte aligned memory full of rubbish, as a recycled chunk is.
class Memory {
 public:
  explicit Memory(size_t bytes = kHotChunkBytesDefault) : bytes_(static_cast<char*>(std::aligned_alloc(4096, bytes))), size_(bytes) {
    std::fill(bytes_, bytes_ + size_, '\xa5');
  }
  ~Memory() { std::free(bytes_); }
  std::span<char> span() { return {bytes_, size_}; }

 private:
  char* bytes_;
  size_t size_;
};

// Events made in code; the log's part of them is fixed.
class Events {
 public:
  Events() { batch_.Reset(std::string_view(kPadding, 1)); }
  uint32_t Add(std::string_view id, std::string_view type, std::string_view data, int64_t time_us = 1'000) {
    auto row = batch_.AddRow(static_cast<uint32_t>(batch_.rows()));
    batch_.Set(Attribute::kId, row, batch_.Store(id));
    batch_.Set(Attribute::kSource, row, batch_.Store("/a/source/longer/than/twelve"));
    batch_.Set(Attribute::kType, row, batch_.Store(type));
    if (data.data() != nullptr) batch_.Set(Attribute::kData, row, batch_.Store(data));
    batch_.SetTime(row, time_us);
    rows_.push_back(static_cast<uint32_t>(row));
    late_.push_back(0);
    return static_cast<uint32_t>(row);
  }
  void Extend(uint32_t row, std::string_view name, std::string_view value) {
    batch_.AddExtension(row, batch_.Store(name), batch_.Store(value));
  }
  EventBatch& batch() { return batch_; }
  std::vector<uint8_t>& late() { return late_; }
  EventRows rows() { return {batch_, rows_, late_, log::LogPartition(3), log::Offset(100), Timestamp{77}, principal_, 0}; }
  Principal principal_;

 private:
  static constexpr char kPadding[65] = "";
  EventBatch batch_;
  std::vector<uint32_t> rows_;
  std::vector<uint8_t> late_;
};

std::string Text(const HotChunkReader& r, EventColumn c, uint32_t row) { return std::string(r.Text(r.views(c)[row])); }

TEST(HotChunk, HoldsEveryColumnOfARow) {
  Memory memory;
  HotChunkWriter writer(memory.span());
  Events events;
  auto row = events.Add("event-1-longer-than-inlined", "t", R"({"a":1})", 5'000);
  events.batch().Set(Attribute::kSubject, row, events.batch().Store(""));
  events.Extend(row, "region", "eu");
  events.late()[0] = 1;
  events.principal_.producer = "loader";
  ASSERT_EQ(writer.Append(events.rows(), 0), 1u);

  auto r = HotChunkReader::Open(memory.span()).value();
  EXPECT_EQ(Text(r, EventColumn::kId, 0), "event-1-longer-than-inlined");
  EXPECT_EQ(Text(r, EventColumn::kType, 0), "t");
  EXPECT_EQ(Text(r, EventColumn::kData, 0), R"({"a":1})");
  EXPECT_TRUE(r.IsValid(EventColumn::kSubject, 0));  // empty is not null
  EXPECT_EQ(Text(r, EventColumn::kSubject, 0), "");
  EXPECT_FALSE(r.has(EventColumn::kTraceParent));
  EXPECT_EQ(r.longs(EventColumn::kTime)[0], 5'000);
  EXPECT_EQ(r.longs(EventColumn::kIngestedAt)[0], 77);
  EXPECT_EQ(r.booleans(EventColumn::kIsLateArrival)[0], 1);
  EXPECT_EQ(r.ints(EventColumn::kLogPartition)[0], 3);
  EXPECT_EQ(r.longs(EventColumn::kLogOffset)[0], 100);
  EXPECT_EQ(Text(r, EventColumn::kTenant, 0), "default");
  EXPECT_EQ(Text(r, EventColumn::kProducer, 0), "loader");
  ASSERT_EQ(r.map_offsets()[1], 1);
  EXPECT_EQ(r.Text(r.map_keys()[0]), "region");
  EXPECT_EQ(r.Text(r.map_values()[0]), "eu");
}

// Goal: a column that appears late is null in the rows before it, whatever the recycled memory held.
TEST(HotChunk, RowsBeforeAColumnsFirstValueAreNull) {
  Memory memory;
  HotChunkWriter writer(memory.span());
  Events plain;
  for (int i = 0; i < 100; i++) plain.Add("a", "t", std::string_view());
  ASSERT_EQ(writer.Append(plain.rows(), 0), 100u);
  Events rich;
  auto row = rich.Add("b", "t", "{}");
  rich.Extend(row, "k", "v");
  rich.Add("c", "t", std::string_view());
  ASSERT_EQ(writer.Append(rich.rows(), 0), 2u);

  auto r = HotChunkReader::Open(memory.span()).value();
  for (uint32_t i = 0; i < 100; i++) {
    EXPECT_FALSE(r.IsValid(EventColumn::kData, i));
    EXPECT_FALSE(r.IsValid(EventColumn::kExtensions, i));
    EXPECT_EQ(r.map_offsets()[i + 1], 0);
  }
  EXPECT_TRUE(r.IsValid(EventColumn::kData, 100));
  EXPECT_FALSE(r.IsValid(EventColumn::kData, 101));
  EXPECT_TRUE(r.IsValid(EventColumn::kExtensions, 100));
  EXPECT_EQ(r.map_offsets()[101], 1);
  EXPECT_EQ(r.map_offsets()[102], 1);
}

TEST(HotChunk, EventWithoutTimeGetsTheAppendTime) {
  Memory memory;
  HotChunkWriter writer(memory.span());
  Events events;
  events.Add("a", "t", "1", EventBatch::kNoTime);
  ASSERT_EQ(writer.Append(events.rows(), 0), 1u);
  EXPECT_EQ(HotChunkReader::Open(memory.span())->longs(EventColumn::kTime)[0], 77);
  EXPECT_EQ(writer.time_us_min(), 77);
}

// Goal: the bound on rows holds, and the rest of a request goes on in the next chunk with the right offsets.
TEST(HotChunk, TakesRowsMaxAndNoMore) {
  Memory memory, next;
  HotChunkWriter writer(memory.span()), following(next.span());
  Events events;
  for (uint32_t i = 0; i < kHotChunkRowsMax + 1; i++) events.Add("i", "t", std::string_view());
  EXPECT_EQ(writer.Append(events.rows(), 0), kHotChunkRowsMax);
  EXPECT_EQ(writer.Append(events.rows(), kHotChunkRowsMax), 0u);
  ASSERT_EQ(following.Append(events.rows(), kHotChunkRowsMax), 1u);
  EXPECT_EQ(HotChunkReader::Open(next.span())->longs(EventColumn::kLogOffset)[0], 100 + static_cast<int64_t>(kHotChunkRowsMax));
}

// Goal: a small chunk has room for every column of its rows, and texts beside them.
TEST(HotChunk, SmallOneTakesRowsInProportion) {
  constexpr size_t kBytes = size_t{128} << 10;
  static_assert(HotChunkRows(kBytes) == kHotChunkRowsMax / 64);
  Memory memory(kBytes), next(kBytes);
  HotChunkWriter writer(memory.span()), following(next.span());
  Events events;
  for (uint32_t i = 0; i < HotChunkRows(kBytes) + 1; i++) {
    auto row = events.Add("i" + std::to_string(i), "t", i == 0 ? std::string(6'000, 'x') : "{}");
    for (size_t a = 0; a < event::kAttributeCount; a++)
      if (events.batch().Get(static_cast<Attribute>(a), row).data() == nullptr)
        events.batch().Set(static_cast<Attribute>(a), row, events.batch().Store("v"));
    events.Extend(row, "k", "v");
  }
  events.principal_.producer = "p";
  EXPECT_EQ(writer.Append(events.rows(), 0), HotChunkRows(kBytes));
  EXPECT_EQ(following.Append(events.rows(), HotChunkRows(kBytes)), 1u);
  auto r = HotChunkReader::Open(memory.span()).value();
  EXPECT_EQ(Text(r, EventColumn::kData, 0), std::string(6'000, 'x'));
  EXPECT_EQ(Text(r, EventColumn::kId, HotChunkRows(kBytes) - 1), "i" + std::to_string(HotChunkRows(kBytes) - 1));
  EXPECT_EQ(Text(HotChunkReader::Open(next.span()).value(), EventColumn::kId, 0), "i" + std::to_string(HotChunkRows(kBytes)));
}

// Goal: every byte of large texts survives a chunk that fills up by bytes. Method: 1 MiB events until it is full.
TEST(HotChunk, FillsUpByBytesAndKeepsEveryByte) {
  Memory memory;
  HotChunkWriter writer(memory.span());
  std::vector<std::string> written;
  for (int i = 0;; i++) {
    Events events;
    std::string data(size_t{1} << 20, static_cast<char>('a' + i));
    events.Add("id" + std::to_string(i), "t", data);
    if (writer.Append(events.rows(), 0) == 0) break;
    written.push_back(data);
  }
  ASSERT_GE(written.size(), 2u);
  auto r = HotChunkReader::Open(memory.span()).value();
  for (uint32_t i = 0; i < written.size(); i++) EXPECT_EQ(Text(r, EventColumn::kData, i), written[i]);
}

// What a reader sees of a row's texts.
std::vector<std::string> Texts(const HotChunkReader& r, uint32_t row) {
  std::vector<std::string> out;
  for (auto c :
       {EventColumn::kId, EventColumn::kSource, EventColumn::kType, EventColumn::kSubject, EventColumn::kData, EventColumn::kTenant})
    out.push_back(r.has(c) && r.IsValid(c, row) ? Text(r, c, row) : "null");
  if (!r.has(EventColumn::kExtensions)) return out;
  for (auto i = r.map_offsets()[row]; i < r.map_offsets()[row + 1]; i++)
    out.push_back(std::string(r.Text(r.map_keys()[i])) + "=" + std::string(r.Text(r.map_values()[i])));
  return out;
}

// Goal: rows whose values lie in records, which are copied whole, read as rows whose values are copied one by one.
// Method: the same events before and after they were encoded, some of them left out as duplicates are, into chunks that are full midway.
TEST(HotChunk, RowsOfRecordsReadAsOtherRowsDo) {
  Events events;
  const std::string types[] = {"com.example.order.placed", "com.example.order.paid", "short"};
  for (size_t i = 0; i < 200; i++) {
    auto row = events.Add("event-with-a-long-id-" + std::to_string(i), types[i % 3], i % 5 == 0 ? std::string() : std::string(i * 3, 'd'));
    if (i % 4 == 0) events.batch().Set(Attribute::kSubject, row, events.batch().Store(i % 8 == 0 ? "" : "a-subject-longer-than-inlined"));
    if (i % 7 == 0) events.Extend(row, "region", "somewhere-in-europe-" + std::to_string(i));
  }
  auto rows = events.rows();
  std::vector<uint32_t> all(200), kept;
  std::iota(all.begin(), all.end(), 0);
  for (uint32_t row : all)
    if (row % 9 != 0) kept.push_back(row);
  const std::vector<uint8_t> late(kept.size(), 0);
  auto append = [&](std::vector<std::vector<std::string>>& read) {
    std::vector<size_t> taken;
    for (size_t first = 0; first < kept.size(); first += taken.back()) {
      Memory memory(HotChunkWriter::kBytesMin);
      HotChunkWriter writer(memory.span());
      taken.push_back(
          writer.Append({events.batch(), kept, late, rows.partition, rows.base_offset, rows.append_time, events.principal_, 0}, first));
      ASSERT_GT(taken.back(), 0u);
      ASSERT_LE(writer.heap_end(), writer.optional_begin());
      auto r = HotChunkReader::Open(memory.span()).value();
      for (uint32_t row = 0; row < taken.back(); row++) {
        read.push_back(Texts(r, row));
        EXPECT_EQ(r.longs(EventColumn::kLogOffset)[row], 100 + static_cast<int64_t>(first + row));
      }
    }
    EXPECT_GT(taken.size(), 1u);
  };
  std::vector<std::vector<std::string>> before, after;
  append(before);
  std::string records(event::RecordBatchBound(events.batch(), all) + 128, '\0');
  const char* end = event::EncodeAndMove(events.batch(), all, {}, 0, 0, records.data(), 0);
  events.batch().FinishMove({records.data(), static_cast<size_t>(end - records.data())});
  append(after);
  EXPECT_EQ(before, after);
}

TEST(HotChunk, LargestEventWithAllColumnsFitsIntoAnEmptyChunk) {
  Memory memory;
  HotChunkWriter writer(memory.span());
  Events events;
  auto row = events.Add("id", "t", std::string(size_t{1} << 20, 'x'));
  for (size_t a = 0; a < event::kAttributeCount; a++)
    if (events.batch().Get(static_cast<Attribute>(a), row).data() == nullptr)
      events.batch().Set(static_cast<Attribute>(a), row, events.batch().Store("v"));
  events.Extend(row, "k", "v");
  events.principal_.producer = "p";
  EXPECT_EQ(writer.Append(events.rows(), 0), 1u);
}

TEST(HotChunk, RefusesBytesThatAreNoChunk) {
  Memory memory;
  EXPECT_EQ(HotChunkReader::Open(memory.span()).error().code, ErrorCode::kCorruption);
  HotChunkWriter writer(memory.span());
  EXPECT_TRUE(HotChunkReader::Open(memory.span()).ok());
  EXPECT_FALSE(HotChunkReader::Open(memory.span().subspan(0, memory.span().size() - 1)).ok());
  EXPECT_FALSE(HotChunkReader::Open(memory.span().subspan(0, kHotChunkHeaderBytes - 1)).ok());
}

// Goal: rows of two chunks become one batch whose long texts stay where they are.
TEST(HotColumns, GathersRowsOfSeveralChunks) {
  Memory first, second;
  HotChunkWriter one(first.span()), two(second.span());
  Events a, b;
  a.Add("one", "t", "a text that is longer than a view");
  a.Add("two", "t", std::string_view());
  auto row = b.Add("three", "t", std::string_view());
  b.Extend(row, "k", "v");
  ASSERT_EQ(one.Append(a.rows(), 0), 2u);
  ASSERT_EQ(two.Append(b.rows(), 0), 1u);
  auto r1 = HotChunkReader::Open(first.span()).value(), r2 = HotChunkReader::Open(second.span()).value();
  auto alive = std::make_shared<int>(1);
  {
    std::vector<uint32_t> rows1{1, 0}, rows2{0};
    std::vector<HotRows> parts{{&r1, rows1}, {&r2, rows2}};
    auto columns = GatherHotColumns(parts, alive);
    EXPECT_EQ(alive.use_count(), 2);
    ASSERT_EQ(columns.column_count(), static_cast<int64_t>(kEventColumnCount));
    EXPECT_EQ(columns.rows(), 3);
    EXPECT_STREQ(columns.schema().children[0]->name, "id");
    EXPECT_STREQ(columns.schema().children[0]->format, "vu");
    EXPECT_STREQ(columns.schema().children[11]->format, "n");  // traceparent: no value anywhere
    auto* ids = static_cast<const StringView*>(columns.array().children[0]->buffers[1]);
    EXPECT_EQ(std::string(ids[0].inlined, 3), "two");
    EXPECT_EQ(std::string(ids[2].inlined, 5), "three");
    auto* data = columns.array().children[8];
    EXPECT_EQ(static_cast<const uint8_t*>(data->buffers[0])[0] & 7, 2);  // only the second of the three
    auto view = static_cast<const StringView*>(data->buffers[1])[1];
    auto* bytes = static_cast<const char*>(data->buffers[2 + view.far.buffer]) + view.far.position;
    EXPECT_GE(bytes, first.span().data());
    EXPECT_EQ(std::string(bytes, static_cast<size_t>(view.length)), "a text that is longer than a view");
    auto* map = columns.array().children[10];
    EXPECT_EQ(static_cast<const int32_t*>(map->buffers[1])[2], 0);
    EXPECT_EQ(static_cast<const int32_t*>(map->buffers[1])[3], 1);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace sluice::table
