// SPDX-License-Identifier: Apache-2.0
// Random appends, restarts, tiering and recycling against a twin made of maps.

#include <gtest/gtest.h>

#include <random>

#include "log/test_log.h"

namespace sluice::log {
namespace {

constexpr int kPartitions = 2;

struct Place {
  LogPartition partition;
  Offset offset;
  bool operator==(const Place&) const = default;
};

// What a log must hold: every accepted event in order, and the first place of each id.
struct Twin {
  std::map<LogPartition, std::vector<std::string>> events;  // the index is the offset
  std::map<std::string, Place> places;
  std::map<LogPartition, Offset> tiered;
};

LogOptions ModelOptions() {
  auto options = SmallLogOptions();
  options.dedup_run_keys_max = 150;
  return options;
}

class Model {
 public:
  explicit Model(uint64_t seed) : world_(seed), random_(seed) {}

  void Run(int steps) {
    auto result = world_.Run([&] {
      Open();
      for (int i = 0; i < steps && !testing::Test::HasFailure(); i++) Step();
      CompareAll();
      ASSERT_TRUE(log_->Shutdown().ok());
      log_.reset();
    });
    ASSERT_TRUE(result.finished()) << result.report;
    if (testing::Test::HasFailure()) {
      for (const auto& line : world_.log()) ADD_FAILURE() << line;
    }
  }
  uint64_t recycled() const { return recycled_; }
  uint64_t runs() const { return runs_; }
  uint64_t topic_file_bytes() const { return topic_file_bytes_; }

 private:
  void Open() {
    auto log = Log::Open(world_.env(), kTestDirectory, ModelOptions());
    ASSERT_TRUE(log.ok()) << log.error().ToString();
    log_ = std::move(*log);
    bool is_new = log_->FindTopic("raw-events") == nullptr;
    topic_ = *log_->OpenTopic("raw-events", {});
    if (!is_new) return;
    ASSERT_TRUE(WaitDurable(world_.env(), *log_, log_->durable() + 1));
  }

  void Step() {
    switch (random_() % 20) {
      case 0: return Reopen(true);
      case 1: return Reopen(false);
      case 2: return CompareAll();
      case 3: case 4: return Tier();
      default: return Append();
    }
  }

  // A list of ids, some seen before, some twice.
  void Append() {
    LogPartition partition(static_cast<int32_t>(random_() % kPartitions));
    std::vector<TestEvent> events;
    for (uint64_t n = 1 + random_() % 20; n > 0; n--) {
      std::string id = std::to_string(random_() % 4'000);
      events.push_back({id, event::EventBatch::kNoTime, "/test", std::string(random_() % 300, 'x')});
    }
    auto result = AppendEvents(*log_, topic_, partition, events);
    ASSERT_TRUE(result.ok()) << result.error().ToString();
    for (size_t i = 0; i < events.size(); i++) {
      auto& stored = twin_.events[partition];
      Place next{partition, Offset(static_cast<int64_t>(stored.size()))};
      auto [at, is_new] = twin_.places.try_emplace(events[i].id, next);
      if (is_new) stored.push_back(events[i].id);
      ASSERT_EQ(result->rows[i].duplicate, !is_new) << events[i].id;
      ASSERT_EQ(result->rows[i].partition, at->second.partition);
      ASSERT_EQ(result->rows[i].offset, at->second.offset);
    }
    ASSERT_TRUE(WaitDurable(world_.env(), *log_, result->durable_after));
    NoteUpkeep();
  }

  void Tier() {
    auto ends = *log_->source().DurableEnds("raw-events");
    for (auto [partition, end] : ends) {
      auto& tiered = twin_.tiered[partition];
      if (end > tiered) tiered = tiered + static_cast<int64_t>(random_() % static_cast<uint64_t>(end - tiered + 1));
    }
    log_->SetTiered("raw-events", twin_.tiered);
    Settle(world_.env(), *log_, 5);
    NoteUpkeep();
  }

  void Reopen(bool cleanly) {
    if (cleanly) {
      ASSERT_TRUE(log_->Shutdown().ok());
    }
    log_.reset();
    Open();
    CompareAll();
  }

  // From its first retained offset on a partition holds what the twin holds; what is not tiered is retained.
  void CompareAll() {
    auto firsts = *log_->source().FirstRetained("raw-events");
    auto stored = ReadStored(*log_, "raw-events", 1 + random_() % 20'000);
    ASSERT_TRUE(stored.ok()) << stored.error().ToString();
    for (int32_t i = 0; i < kPartitions; i++) {
      LogPartition p(i);
      auto& all = twin_.events[p];
      ASSERT_LE(firsts[p], std::max(twin_.tiered[p], Offset(0)));
      std::vector<std::string> expected(all.begin() + firsts[p].get(), all.end());
      ASSERT_EQ(Ids((*stored)[p]), expected) << "partition " << i << " from " << firsts[p].get();
      for (size_t k = 0; k < expected.size(); k++) ASSERT_EQ((*stored)[p][k].offset, firsts[p] + static_cast<int64_t>(k));
    }
    CompareSlices(firsts);
  }

  // Slices of any size put together are the log.
  void CompareSlices(const std::map<LogPartition, Offset>& firsts) {
    auto at = firsts;
    for (;;) {
      auto cut = log_->source().Cut("raw-events", at, 1 + random_() % 100'000);
      ASSERT_TRUE(cut.ok()) << cut.error().ToString();
      if (cut->empty()) break;
      for (auto [partition, range] : *cut) {
        ASSERT_EQ(range.begin, at[partition]);
        ASSERT_GT(range.end, range.begin);
        ASSERT_EQ(*log_->source().ChainAt("raw-events", partition, range.end), range.chain);
        at[partition] = range.end;
      }
    }
    ASSERT_EQ(at, *log_->source().DurableEnds("raw-events"));
  }

  void NoteUpkeep() {
    auto stats = log_->stats();
    ASSERT_LE(stats.journal_bytes, ModelOptions().journal_bytes_max);
    runs_ = std::max(runs_, stats.dedup_runs);
    topic_file_bytes_ = std::max(topic_file_bytes_, stats.topic_file_bytes);
    auto names = world_.env().files.List(std::string(kTestDirectory) + "/journal");
    ASSERT_TRUE(names.ok());
    if (names->front() > "00000000000000000001.segment") recycled_++;
  }

  io::SimulatedWorld world_;
  std::mt19937_64 random_;
  std::unique_ptr<Log> log_;
  const Topic* topic_ = nullptr;
  Twin twin_;
  uint64_t recycled_ = 0, runs_ = 0, topic_file_bytes_ = 0;
};

TEST(LogModel, RandomHistoriesMatchTheirTwin) {
  for (uint64_t seed = 1; seed <= 12 && !testing::Test::HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    model.Run(250);
    // The histories are long enough to reach every part.
    EXPECT_GT(model.recycled(), 0u);
    EXPECT_GT(model.runs(), 1u);
    EXPECT_GT(model.topic_file_bytes(), 0u);
  }
}

}  // namespace
}  // namespace sluice::log
