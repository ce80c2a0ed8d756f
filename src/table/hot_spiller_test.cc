// SPDX-License-Identifier: Apache-2.0
#include "table/hot_spiller.h"

#include <gtest/gtest.h>

#include "io/test_directory.h"
#include "table/event_schema.h"

namespace sluice::table {
namespace {

// Two tables, memory of sixteen chunks, files of eight.
class HotSpillerTest : public testing::Test {
 protected:
  static constexpr uint64_t kMemoryChunks = 16, kFileChunks = 8;
  HotSpillerTest() : first_(Add(first_topic_)), second_(Add(second_topic_)) {}

  Table& Add(const log::Topic& topic) { return **registry_.Add(topic, TableNameOf(topic.name()), *ParsePartitioning(""), {}); }
  static log::TopicConfig OnePartition() {
    log::TopicConfig config;
    config.partitions = 1;
    return config;
  }
  // Closed chunks of one row each.
  void Fill(Table& table, size_t chunks) {
    for (size_t i = 0; i < chunks; i++) {
      event::EventBatch batch;
      batch.Reset({});
      batch.AddRow(0);
      for (auto attribute : {event::Attribute::kId, event::Attribute::kSource, event::Attribute::kType})
        batch.Set(attribute, 0, batch.Store("text"));
      batch.SetTime(0, 0);
      const std::vector<uint32_t> rows{0};
      const std::vector<uint8_t> late{0};
      const log::CommitSequence sequence(next_ + 1);
      ASSERT_TRUE(
          table.hot().Append({batch, rows, late, log::LogPartition(0), log::Offset(next_++), Timestamp{7}, principal_, 0}, sequence).ok());
      table.hot().Publish(sequence);
      table.hot().Close();
    }
  }
  size_t StepAll() {
    size_t steps = 0;
    while (*spiller_.Step()) steps++;
    return steps;
  }
  uint64_t FilesOf(Table& table) const { return table.hot().bytes().files / kHotChunkBytesDefault; }

  io::RealWorld world_{io::LogLevel::kError};
  io::TestDirectory directory_{world_.env().files};
  ChunkMemory memory_{
      world_.env(), kMemoryChunks* kHotChunkBytesDefault, kHotChunkBytesDefault, {directory_.path(), kFileChunks* kHotChunkBytesDefault}};
  TableRegistry registry_{world_.env(), memory_, 0};
  log::Topic first_topic_{"raw-events", OnePartition()}, second_topic_{"raw-orders", OnePartition()};
  Table &first_, &second_;
  HotSpiller spiller_{world_.env(), registry_, memory_};
  Principal principal_;
  int64_t next_ = 0;
};

TEST_F(HotSpillerTest, NothingMovesWhileThereIsRoom) {
  Fill(first_, 6);
  Fill(second_, 7);
  EXPECT_EQ(StepAll(), 0u);
}

TEST_F(HotSpillerTest, TableThatDoesNotGetOnKeepsLessThanItsShareOfTheMemory) {
  Fill(first_, 6);
  Fill(second_, 7);
  first_.set_stuck(true);
  EXPECT_EQ(StepAll(), 3u);
  EXPECT_EQ(FilesOf(first_), 3u);
  EXPECT_EQ(FilesOf(second_), 0u);
  EXPECT_TRUE(first_.hot().View().front().chunk->in_file()) << "the oldest waited longest";
  EXPECT_LT(registry_.stuck_bytes(), memory_.stuck_bytes_max());
}

TEST_F(HotSpillerTest, WhenMemoryIsNearlyFullTheLargestTableLeavesHalfOfTheFiles) {
  Fill(first_, 5);
  Fill(second_, 11);
  EXPECT_TRUE(memory_.over_budget());
  EXPECT_EQ(StepAll(), 3u);
  EXPECT_EQ(FilesOf(second_), 3u);
  EXPECT_TRUE(second_.hot().View().back().chunk->in_file());
  Fill(second_, 8);
  EXPECT_EQ(StepAll(), 1u);
  EXPECT_EQ(memory_.file_bytes_used(), kFileChunks / 2 * kHotChunkBytesDefault);
}

TEST_F(HotSpillerTest, FullFilesAreNoError) {
  Fill(first_, 14);
  first_.set_stuck(true);
  EXPECT_EQ(StepAll(), kFileChunks);
  EXPECT_EQ(StepAll(), 0u);
}

}  // namespace
}  // namespace sluice::table
