// SPDX-License-Identifier: Apache-2.0
#include "table/hot_loader.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "event/record_batch_encoder.h"
#include "io/simulated_world.h"
#include "table/event_schema.h"

namespace sluice::table {
namespace {

using event::Attribute;
using log::LogPartition;
using log::Offset;

constexpr LogPartition kP0{0};
constexpr size_t kChunkBytes = size_t{128} << 10;
constexpr uint64_t kMemoryChunks = 8;
constexpr int64_t kOlderRows = 1'000, kFrameRows = 50;  // 256 rows fill a chunk

event::EventBatch BatchOf(int64_t rows) {
  event::EventBatch batch;
  batch.Reset({});
  for (int64_t i = 0; i < rows; i++) {
    const auto row = batch.AddRow(static_cast<uint32_t>(i));
    for (auto attribute : {Attribute::kId, Attribute::kSource, Attribute::kType}) batch.Set(attribute, row, batch.Store("text"));
    batch.SetTime(row, i);
  }
  return batch;
}

std::vector<uint32_t> RowNumbers(size_t rows) {
  std::vector<uint32_t> out(rows);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// A log of one partition, [0, kOlderRows), all of it durable; one frame a read.
class FrameLog : public log::LogSource {
 public:
  using Offsets = PartitionOffsets;
  Result<Offsets> DurableEnds(std::string_view) override { return Offsets{{kP0, Offset(kOlderRows)}}; }
  Result<Offsets> FirstRetained(std::string_view) override { return Offsets{{kP0, Offset(0)}}; }
  Result<std::map<LogPartition, log::OffsetRange>> Cut(std::string_view, const Offsets&, uint64_t) override { return Unused(); }
  Result<std::unique_ptr<log::LogReader>> NewReader(std::string_view, const Offsets& from) override {
    return std::unique_ptr<log::LogReader>(std::make_unique<Reader>(from));
  }
  Result<uint32_t> ChainAt(std::string_view, LogPartition, Offset) override { return Unused(); }
  void Watch(io::Signal*) override {}
  void Unwatch(io::Signal*) override {}

 private:
  class Reader : public log::LogReader {
   public:
    explicit Reader(Offsets from) : position_(std::move(from)) {
      const auto batch = BatchOf(kFrameRows);
      const auto rows = RowNumbers(kFrameRows);
      bytes_.resize(event::RecordBatchBound(batch, rows) + 64);
      bytes_.resize(static_cast<size_t>(event::EncodeRecordBatch(batch, rows, {}, 0, 0, bytes_.data()) - bytes_.data()));
    }
    Result<log::FrameRun> Next(uint64_t) override {
      log::FrameRun run;
      auto& next = position_.at(kP0);
      if (next.get() == kOlderRows) return run;
      auto bytes = std::make_shared<std::string>(bytes_);
      event::SetBaseOffset(bytes->data(), next.get());
      log::Frame frame;
      frame.partition = kP0;
      frame.base_offset = next;
      frame.next_offset = next = next + kFrameRows;
      frame.rows = kFrameRows;
      frame.tenant = "default";
      frame.record_batch = *bytes;
      run.Add(frame);
      run.Pin(std::move(bytes));
      return run;
    }
    const Offsets& position() const override { return position_; }

   private:
    Offsets position_;
    std::string bytes_;
  };
  static Error Unused() { return {ErrorCode::kInvalid, "not for loading", {}}; }
};

// A table whose older rows are in the log, and memory of eight chunks. The parameter is the world's seed: in which order threads run.
class HotLoaderTest : public testing::TestWithParam<uint64_t> {
 protected:
  static constexpr int kRoundsMax = 1'000;
  static constexpr int64_t kRoundUs = 10'000;

  void Run(const std::function<void()>& body) {
    auto ran = world_.Run([&] {
      memory_ = std::make_unique<ChunkMemory>(env(), kMemoryChunks * kChunkBytes, kChunkBytes);
      registry_ = std::make_unique<TableRegistry>(env(), *memory_, 0);
      table_ = *registry_->Add(topic_, TableNameOf(topic_.name()), *ParsePartitioning(""), {});
      registry_->Publish(*table_, std::make_shared<TableVersion>());
      hot().AwaitOlder({{kP0, Offset(kOlderRows)}});
      body();
      loader_.reset();
      registry_.reset();
      memory_.reset();
    });
    EXPECT_TRUE(ran.finished()) << ran.report;
  }
  io::Env env() { return world_.env(); }
  HotTail& hot() { return table_->hot(); }

  // Closed chunks of one row each, behind the older ones.
  void FillMemoryWithNewerRows() {
    for (int64_t next = kOlderRows; !memory_->over_budget(); next++) {
      const auto batch = BatchOf(1);
      const std::vector<uint8_t> late{0};
      const log::CommitSequence sequence(static_cast<uint64_t>(next));
      ASSERT_TRUE(hot().Append({batch, RowNumbers(1), late, kP0, Offset(next), Timestamp{7}, principal_, 0}, sequence).ok());
      hot().Publish(sequence);
      hot().Close();
    }
  }
  void BeginLoad() {
    loader_ = std::make_unique<HotLoader>(env(), *registry_, *memory_, log_);
    loader_->Add(*table_, {{{kP0, Offset(0)}}, {{kP0, Offset(kOlderRows)}}});
  }
  // As the tier does: whatever can leave, leaves. Tells how many rows that were, in their order.
  int64_t TierUntilLoaded() {
    int64_t tiered = 0;
    for (int round = 0; round < kRoundsMax && hot().awaits_older(); round++) {
      env().clock.SleepUs(kRoundUs);
      bytes_most_ = std::max(bytes_most_, memory_->bytes_used());
      const auto slice = hot().Slice(1);
      if (slice.chunks.empty()) continue;
      EXPECT_EQ(slice.begin.at(kP0), Offset(tiered));
      tiered = slice.end.at(kP0).get();
      hot().Drop(slice.end);
    }
    return tiered;
  }

  io::SimulatedWorld world_{GetParam()};
  log::Topic topic_{"raw-events", {}};
  FrameLog log_;
  Principal principal_;
  std::unique_ptr<ChunkMemory> memory_;
  std::unique_ptr<TableRegistry> registry_;
  Table* table_ = nullptr;
  std::unique_ptr<HotLoader> loader_;
  uint64_t bytes_most_ = 0;
};

// Found by the simulator: rows that came in while older ones were loaded filled the memory. These found no room, those could not
// leave before them, and nothing was taken or tiered until the next start.
TEST_P(HotLoaderTest, NewerRowsThatFillTheMemoryLeaveRoomForTheOlderOnes) {
  Run([&] {
    FillMemoryWithNewerRows();
    BeginLoad();
    const auto tiered = TierUntilLoaded();
    EXPECT_FALSE(hot().awaits_older()) << tiered << " rows were tiered, and then no more were loaded";
    EXPECT_EQ(tiered + static_cast<int64_t>(hot().rows_visible()), kOlderRows + static_cast<int64_t>(kMemoryChunks));
    // Room for one chunk that the tier may take and one that is filled, and no more.
    EXPECT_LE(bytes_most_, (kMemoryChunks + 2) * kChunkBytes);
  });
}

// Found by the simulator: after a flush that took the table's version from the catalog, a view said that there is no such table, because
// the rows were to be loaded a moment later.
TEST_P(HotLoaderTest, ATableWhoseRowsAreAboutToBeLoadedIsLoading) {
  Run([&] {
    registry_->HoldBack(*table_);
    EXPECT_TRUE(registry_->IsLoading(*table_));
    const auto view = registry_->View();
    ASSERT_EQ(view.tables.size(), 1u);
    EXPECT_TRUE(view.tables[0].is_loading);
    EXPECT_EQ(view.tables[0].version, nullptr);
  });
}

// Nobody knows when its rows leave: what the log still has may not take the memory that new rows of other tables need.
TEST_P(HotLoaderTest, RowsOfATableThatDoesNotGetOnWaitForRoom) {
  Run([&] {
    table_->set_stuck(true);
    FillMemoryWithNewerRows();
    BeginLoad();
    EXPECT_EQ(TierUntilLoaded(), 0);
    EXPECT_EQ(bytes_most_, kMemoryChunks * kChunkBytes);
    ASSERT_EQ(loader_->Status().size(), 1u);
    EXPECT_EQ(loader_->Status()[0].problem, "there is no room for its rows until others have left");
    table_->set_stuck(false);
    TierUntilLoaded();
    EXPECT_FALSE(hot().awaits_older());
  });
}

INSTANTIATE_TEST_SUITE_P(Seeds, HotLoaderTest, testing::Range<uint64_t>(1, 6));

}  // namespace
}  // namespace sluice::table
