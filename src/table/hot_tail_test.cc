// SPDX-License-Identifier: Apache-2.0
#include "table/hot_tail.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "io/env.h"
#include "io/test_directory.h"

namespace sluice::table {
namespace {

using event::Attribute;
using log::CommitSequence;
using log::LogPartition;
using log::Offset;

class HotTailTest : public testing::Test {
 protected:
  // One frame of `n` events with `bytes` of data each, at the next offset of the partition.
  void Append(uint32_t n, uint64_t sequence, size_t bytes = 1, int32_t partition = 0) { AppendTo(tail_, n, sequence, bytes, partition); }
  void AppendTo(HotTail& tail, uint32_t n, uint64_t sequence, size_t bytes = 1, int32_t partition = 0) {
    event::EventBatch batch;
    batch.Reset({});
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < n; i++) {
      auto row = batch.AddRow(i);
      batch.Set(Attribute::kId, row, batch.Store("id"));
      batch.Set(Attribute::kSource, row, batch.Store("/s"));
      batch.Set(Attribute::kType, row, batch.Store(i % 2 == 0 ? "even" : "odd"));
      batch.Set(Attribute::kData, row, batch.Store(std::string(bytes, 'x')));
      batch.SetTime(row, i);
      rows.push_back(static_cast<uint32_t>(row));
    }
    std::vector<uint8_t> late(n, 0);
    auto& next = next_[partition];
    ASSERT_TRUE(tail.Append({batch, rows, late, LogPartition(partition), Offset(next), Timestamp{7}, principal_, 0}, CommitSequence(sequence)).ok());
    next += n;
  }
  uint64_t RowsInView() const {
    uint64_t rows = 0;
    for (auto& chunk : tail_.View()) rows += chunk.rows;
    return rows;
  }

  io::RealWorld world_{io::LogLevel::kError};
  ChunkMemory memory_{world_.env(), uint64_t{256} << 20};
  HotTail tail_{memory_, {}};
  Principal principal_;
  std::map<int32_t, int64_t> next_;
};

// Found by a statement over two tables: a SQL worker that remembered chunk 7 of one read it as chunk 7 of the other.
TEST_F(HotTailTest, ChunksOfTwoTablesNeverShareANumber) {
  HotTail other(memory_, {});
  std::set<uint64_t> ids;
  for (uint64_t sequence = 1; sequence <= 4; sequence++) {
    HotTail& tail = sequence % 2 == 0 ? other : tail_;
    AppendTo(tail, 1, sequence);
    tail.Publish(CommitSequence(sequence));
    ids.insert(tail.View().back().chunk->id());
    tail.Close();
  }
  EXPECT_EQ(ids.size(), 4u);
}

TEST_F(HotTailTest, RowsAreVisibleOnceTheirCommitIsDurable) {
  Append(10, 1);
  Append(5, 2);
  EXPECT_EQ(RowsInView(), 0u);
  tail_.Publish(CommitSequence(1));
  EXPECT_EQ(RowsInView(), 10u);
  EXPECT_EQ(tail_.visible_end().at(LogPartition(0)), Offset(10));
  EXPECT_TRUE(tail_.has_pending());
  tail_.Publish(CommitSequence(2));
  EXPECT_EQ(RowsInView(), 15u);
  EXPECT_FALSE(tail_.has_pending());
}

TEST_F(HotTailTest, SliceHoldsClosedAndVisibleChunksOnly) {
  Append(10, 1);
  tail_.Publish(CommitSequence(1));
  EXPECT_TRUE(tail_.Slice(1'000).chunks.empty());
  tail_.Close();
  Append(1, 2);
  auto slice = tail_.Slice(1'000);
  EXPECT_EQ(slice.rows, 10u);
  EXPECT_EQ(slice.begin.at(LogPartition(0)), Offset(0));
  EXPECT_EQ(slice.end.at(LogPartition(0)), Offset(10));
}

TEST_F(HotTailTest, SliceTellsWhereEachPartitionBegins) {
  Append(10, 1);
  Append(5, 1, 1, 3);
  tail_.Publish(CommitSequence(1));
  tail_.Close();
  tail_.Drop({{LogPartition(0), Offset(10)}, {LogPartition(3), Offset(5)}});
  Append(2, 2, 1, 3);
  Append(2, 3, 1, 3);
  tail_.Publish(CommitSequence(3));
  tail_.Close();
  auto slice = tail_.Slice(1'000);
  EXPECT_EQ(slice.begin, (PartitionOffsets{{LogPartition(3), Offset(5)}}));
  EXPECT_EQ(slice.end.at(LogPartition(3)), Offset(9));
}

// Found by kill -9 under load: a chunk that filled up in the middle of a frame ended a slice where the log has no border.
TEST_F(HotTailTest, SliceNeverEndsInsideAFrame) {
  const uint32_t frame = 200;
  std::vector<int64_t> borders{0};
  for (uint64_t sequence = 1; tail_.chunk_count() < 4; sequence++) {
    Append(frame, sequence);
    borders.push_back(borders.back() + frame);
    tail_.Publish(CommitSequence(sequence));
    auto slice = tail_.Slice(1);
    if (slice.chunks.empty()) continue;
    EXPECT_EQ(slice.end.at(LogPartition(0)).get() % frame, 0);
  }
  EXPECT_EQ(tail_.Slice(1).chunks.size(), 1u);
  EXPECT_EQ(tail_.rows_sliceable() % frame, 0u);
}

// Goal: a frame that no chunk can hold is cut, and the slice waits for its end. Method: one frame of 12 MiB.
TEST_F(HotTailTest, FrameLargerThanAChunkIsSlicedWhole) {
  Append(24, 1, 512 << 10);
  tail_.Publish(CommitSequence(1));
  EXPECT_GT(tail_.chunk_count(), 1u);
  EXPECT_TRUE(tail_.Slice(1'000).chunks.empty());
  tail_.Close();
  auto slice = tail_.Slice(1);
  EXPECT_EQ(slice.rows, 24u);
  EXPECT_EQ(slice.end.at(LogPartition(0)), Offset(24));
}

TEST_F(HotTailTest, DropFreesWhatTheTableHoldsAndViewsKeepTheirs) {
  Append(10, 1);
  tail_.Publish(CommitSequence(1));
  tail_.Close();
  auto view = tail_.View();
  const auto used = memory_.bytes_used();
  tail_.Drop({{LogPartition(0), Offset(9)}});
  EXPECT_EQ(RowsInView(), 10u);  // one row is not in the table
  tail_.Drop({{LogPartition(0), Offset(10)}});
  EXPECT_EQ(RowsInView(), 0u);
  EXPECT_EQ(memory_.bytes_used(), used);
  EXPECT_EQ(view[0].chunk->reader().longs(EventColumn::kLogOffset)[9], 9);
  view.clear();
  EXPECT_EQ(memory_.bytes_used(), 0u);
}

// Two chunks: rows 0 to 9, and 10 to 14 with 0 to 4 of another partition.
TEST_F(HotTailTest, FitsOnlyWhereDropLeavesWhatIsBehind) {
  Append(10, 1);
  tail_.Publish(CommitSequence(1));
  tail_.Close();
  Append(5, 2);
  Append(5, 2, 1, 1);
  const auto fits = [&](int64_t first, int64_t second) { return tail_.Fits({{LogPartition(0), Offset(first)}, {LogPartition(1), Offset(second)}}, {}); };
  EXPECT_TRUE(fits(0, 0));
  EXPECT_TRUE(fits(10, 0));
  EXPECT_FALSE(fits(9, 0));
  EXPECT_FALSE(fits(15, 5)) << "a chunk that is open does not leave";
  tail_.Publish(CommitSequence(2));
  tail_.Close();
  EXPECT_TRUE(fits(15, 5));
  EXPECT_FALSE(fits(15, 4));
  EXPECT_FALSE(fits(10, 5));
}

// Found by the simulator: after a restart with everything tiered, a view said that it ended at offset 0.
TEST_F(HotTailTest, EmptyTailEndsWhereItsTableEnds) {
  tail_.Drop({{LogPartition(0), Offset(20)}, {LogPartition(1), Offset(3)}});
  EXPECT_EQ(tail_.visible_end(), (PartitionOffsets{{LogPartition(0), Offset(20)}, {LogPartition(1), Offset(3)}}));
  next_[0] = 20;
  Append(5, 1);
  tail_.Publish(CommitSequence(1));
  EXPECT_EQ(tail_.visible_end(), (PartitionOffsets{{LogPartition(0), Offset(25)}, {LogPartition(1), Offset(3)}}));
  tail_.Drop({{LogPartition(0), Offset(20)}});
  EXPECT_EQ(tail_.visible_end().at(LogPartition(0)), Offset(25));
}

// Goal: rows that are loaded stand before those that came meanwhile, and the tier takes nothing behind a row that is missing.
// Method: offsets 0 to 9 are loaded by two private tails, partition for partition, while 10 to 12 come in.
TEST_F(HotTailTest, OlderRowsStandBeforeNewOnesAndAreTakenAlone) {
  tail_.AwaitOlder({{LogPartition(0), Offset(10)}, {LogPartition(1), Offset(4)}});
  next_ = {{0, 10}, {1, 4}};
  Append(3, 1);
  tail_.Publish(CommitSequence(1));
  tail_.Close();
  EXPECT_TRUE(tail_.Slice(1'000).chunks.empty());
  EXPECT_EQ(tail_.rows_sliceable(), 0u);

  next_ = {{0, 0}, {1, 0}};
  HotTail first(memory_, {}), second(memory_, {});
  AppendTo(first, 10, 0);
  AppendTo(second, 4, 0, 1, 1);
  for (auto* loaded : {&first, &second}) {
    loaded->Publish(CommitSequence(0));
    EXPECT_TRUE(loaded->TakeWhole().empty()) << "the open chunk may still grow";
    loaded->Close();
    tail_.AddOlder(loaded->TakeWhole());
    EXPECT_EQ(loaded->chunk_count(), 0u);
  }
  const auto slice = tail_.Slice(1'000);
  EXPECT_EQ(slice.rows, 14u);
  EXPECT_EQ(slice.begin, (PartitionOffsets{{LogPartition(0), Offset(0)}, {LogPartition(1), Offset(0)}}));
  EXPECT_EQ(slice.end, (PartitionOffsets{{LogPartition(0), Offset(10)}, {LogPartition(1), Offset(4)}}));
  tail_.Drop({{LogPartition(1), Offset(4)}});
  EXPECT_EQ(RowsInView(), 13u) << "what a table has is dropped wherever it stands";

  tail_.EndOlder();
  EXPECT_EQ(tail_.Slice(1'000).rows, 13u);
  EXPECT_EQ(tail_.View().front().chunk->reader().longs(EventColumn::kLogOffset)[0], 0);
  EXPECT_EQ(tail_.first_rows().at(LogPartition(0)), Offset(0));
  EXPECT_EQ(tail_.visible_end(), (PartitionOffsets{{LogPartition(0), Offset(13)}, {LogPartition(1), Offset(4)}}));
}

TEST_F(HotTailTest, TailThatLoadsGivesWholeFramesOnly) {
  Append(24, 0, 512 << 10);  // in two chunks
  tail_.Publish(CommitSequence(0));
  EXPECT_TRUE(tail_.TakeWhole().empty());
  tail_.Close();
  EXPECT_EQ(tail_.TakeWhole().size(), 2u);
}

class HotFilesTest : public HotTailTest {
 protected:
  io::TestDirectory directory_{world_.env().files};
  ChunkMemory small_{world_.env(), 2 * kHotChunkBytesDefault, kHotChunkBytesDefault, {directory_.path(), 2 * kHotChunkBytesDefault}};
};

// Method: three closed chunks of one row, and files for two. The optional column lies at a chunk's end, the text at its beginning.
TEST_F(HotFilesTest, ChunksMoveToFilesAndReadTheSame) {
  HotTail tail(small_, {});
  for (uint64_t sequence = 1; sequence <= 4; sequence++) {
    AppendTo(tail, 1, sequence, 100 * sequence);
    tail.Publish(CommitSequence(sequence));
    if (sequence < 4) tail.Close();
  }
  const auto before = tail.View();
  ASSERT_TRUE(*tail.MoveToFile(HotTail::Which::kOldest));
  ASSERT_TRUE(*tail.MoveToFile(HotTail::Which::kNewest));
  EXPECT_EQ(tail.MoveToFile(HotTail::Which::kOldest).error().code, ErrorCode::kExhausted);
  const auto after = tail.View();
  ASSERT_EQ(after.size(), 4u);
  for (size_t i = 0; i < after.size(); i++) {
    EXPECT_EQ(after[i].chunk->in_file(), i == 0 || i == 2) << i;
    EXPECT_EQ(after[i].chunk->id() != before[i].chunk->id(), after[i].chunk->in_file()) << "a number stands for the same bytes for ever";
    for (auto* view : {&before, &after}) {
      const auto reader = (*view)[i].chunk->reader();
      ASSERT_TRUE(reader.IsValid(EventColumn::kData, 0));
      EXPECT_EQ(reader.Text(reader.views(EventColumn::kData)[0]), std::string(100 * (i + 1), 'x'));
    }
  }
  EXPECT_EQ(tail.bytes().files, small_.file_bytes_used());
  EXPECT_EQ(small_.file_bytes_used(), 2 * kHotChunkBytesDefault);
  EXPECT_TRUE(world_.env().files.List(directory_.path())->empty()) << "files without a name leave nothing behind";
}

// Found by a planted bug that ended in a damaged heap: nothing looked for what the disk changed in a file of hot rows.
// Method: one bit of the header, of the oldest text's last byte and of the optional column at the end is changed, and changed back.
TEST_F(HotFilesTest, ByteThatTheDiskChangedIsFound) {
  HotTail tail(small_, {});
  AppendTo(tail, 1, 1, 5'000);
  tail.Publish(CommitSequence(1));
  tail.Close();
  EXPECT_TRUE(tail.View().front().chunk->Check().ok()) << "of memory nothing is read";
  ASSERT_TRUE(*tail.MoveToFile(HotTail::Which::kOldest));
  const auto view = tail.View();
  const auto& chunk = *view.front().chunk;
  auto file = world_.env().files.Open("/proc/self/fd/" + std::to_string(chunk.descriptor()), {io::OpenMode::kReadWrite});
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto position = [&](const void* inside) { return static_cast<uint64_t>(static_cast<const char*>(inside) - chunk.reader().base()); };
  const auto reader = chunk.reader();
  const uint64_t data_view = position(&reader.views(EventColumn::kData)[0]);
  for (uint64_t at : {uint64_t{8}, position(reader.Text(reader.views(EventColumn::kData)[0]).data()) + 4'999, data_view}) {
    char byte = reader.base()[at];
    const char other = static_cast<char>(byte ^ 0x10);
    EXPECT_TRUE(chunk.Check().ok());
    ASSERT_TRUE((*file)->Write(at, {&other, 1}).ok());
    EXPECT_EQ(chunk.Check().error().code, ErrorCode::kCorruption) << at;
    ASSERT_TRUE((*file)->Write(at, {&byte, 1}).ok());
  }
}

TEST_F(HotFilesTest, MemoryIsUsedAgainOnceNoViewHasTheChunk) {
  HotTail tail(small_, {});
  AppendTo(tail, 1, 1);
  tail.Publish(CommitSequence(1));
  EXPECT_FALSE(*tail.MoveToFile(HotTail::Which::kOldest)) << "the open chunk stays";
  tail.Close();
  auto view = tail.View();
  ASSERT_TRUE(*tail.MoveToFile(HotTail::Which::kOldest));
  EXPECT_EQ(small_.bytes_used(), kHotChunkBytesDefault);
  view.clear();
  EXPECT_EQ(small_.bytes_used(), 0u);
  tail.Drop({{LogPartition(0), Offset(1)}});
  EXPECT_EQ(small_.file_bytes_used(), 0u);
}

TEST_F(HotFilesTest, FileThatCannotBeMadeLeavesTheChunkInMemory) {
  ChunkMemory nowhere(world_.env(), kHotChunkBytesDefault, kHotChunkBytesDefault, {"/nowhere/hot", kHotChunkBytesDefault});
  HotTail tail(nowhere, {});
  AppendTo(tail, 1, 1);
  tail.Publish(CommitSequence(1));
  tail.Close();
  EXPECT_FALSE(tail.MoveToFile(HotTail::Which::kOldest).ok());
  EXPECT_EQ(nowhere.file_bytes_used(), 0u);
  EXPECT_FALSE(tail.View().front().chunk->in_file());
}

TEST_F(HotTailTest, BudgetIsToldAtItsBound) {
  ChunkMemory small(world_.env(), kHotChunkBytesDefault);
  EXPECT_FALSE(small.over_budget());
  auto region = small.Take();
  ASSERT_TRUE(region.ok());
  EXPECT_TRUE(small.over_budget());
  small.GiveBack(std::move(*region));
  EXPECT_FALSE(small.over_budget());
}

}  // namespace
}  // namespace sluice::table
