// SPDX-License-Identifier: Apache-2.0
#include "log/pump.h"

#include <gtest/gtest.h>

#include <deque>

#include "io/simulated_world.h"
#include "log/test_log.h"

namespace sluice::log {
namespace {

constexpr LogPartition kP0{0};

// A log that is only numbers: one feed, one partition, frames of one row and 10 bytes.
class FakeSource : public LogSource {
 public:
  Result<std::map<LogPartition, Offset>> DurableEnds(std::string_view) override { return std::map<LogPartition, Offset>{{kP0, end}}; }
  Result<std::map<LogPartition, Offset>> FirstRetained(std::string_view) override { return std::map<LogPartition, Offset>{{kP0, first}}; }
  Result<std::map<LogPartition, OffsetRange>> Cut(std::string_view, const std::map<LogPartition, Offset>& from, uint64_t bytes_max) override {
    Offset begin = from.at(kP0);
    if (begin < first) return Error{ErrorCode::kNotFound, "not retained", {}};
    if (begin > end) return Error{ErrorCode::kInvalid, "behind the end", {}};
    int64_t n = std::min<int64_t>(end - begin, static_cast<int64_t>(bytes_max / 10));
    std::map<LogPartition, OffsetRange> ranges;
    if (n > 0) ranges[kP0] = {begin, begin + n, static_cast<uint64_t>(n) * 10, 0};
    return ranges;
  }
  Result<std::unique_ptr<LogReader>> NewReader(std::string_view, const std::map<LogPartition, Offset>&) override {
    return Error{ErrorCode::kNotFound, "", {}};
  }
  Result<uint32_t> ChainAt(std::string_view, LogPartition, Offset) override { return 0u; }
  void Watch(io::Signal* signal) override { watcher = signal; }
  void Unwatch(io::Signal*) override { watcher = nullptr; }
  Offset first{0}, end{0};
  io::Signal* watcher = nullptr;
};

// Counts what it was given; its output is one number, its progress.
class FakeConsumer : public Consumer {
 public:
  Result<Progress> Load() override {
    loads++;
    staged = committed;
    RETURN_IF_ERROR(TakeError(load_errors));
    Progress progress;
    if (has_progress) progress.next["feed"][kP0] = committed;
    return progress;
  }
  Result<void> Apply(const Slice& slice) override {
    RETURN_IF_ERROR(TakeError(apply_errors));
    const auto& range = slice.ranges().at("feed").at(kP0);
    EXPECT_EQ(range.begin, staged);
    staged = range.end;
    slices.push_back(range);
    return {};
  }
  Result<void> Commit(const Progress& from, const Progress& next) override {
    commits_tried++;
    EXPECT_EQ(from.next.at("feed").at(kP0), committed);
    if (lands_anyway) committed = next.next.at("feed").at(kP0);
    RETURN_IF_ERROR(TakeError(commit_errors));
    committed = next.next.at("feed").at(kP0);
    EXPECT_EQ(committed, staged);
    return {};
  }
  CommitTrigger trigger() const override { return when; }

  static Result<void> TakeError(std::deque<ErrorCode>& errors) {
    if (errors.empty()) return {};
    Error error{errors.front(), "made up", {}};
    errors.pop_front();
    return error;
  }
  bool has_progress = true, lands_anyway = false;
  Offset committed, staged;
  CommitTrigger when;
  std::deque<ErrorCode> load_errors, apply_errors, commit_errors;
  std::vector<OffsetRange> slices;
  int loads = 0, commits_tried = 0;
};

class PumpTest : public testing::Test {
 protected:
  PumpTest() {
    PumpOptions options;
    options.name = "test";
    options.slice_bytes_max = 100;  // ten rows
    options.backoff = {1'000, 8'000};
    pump_ = std::make_unique<Pump>(world_.env(), source_, consumer_, std::vector<FeedId>{"feed"}, options);
  }
  // Steps until there is nothing to do but wait; answers that wait.
  int64_t StepUntilIdle(int steps_max = 100) {
    int64_t wait = 0;
    for (int i = 0; i < steps_max && (wait = pump_->Step()) == 0;) i++;
    return wait;
  }
  io::SimulatedWorld world_{1};
  FakeSource source_;
  FakeConsumer consumer_;
  std::unique_ptr<Pump> pump_;
};

TEST_F(PumpTest, LoadsAppliesAndCommitsInOrder) {
  source_.end = Offset(25);
  EXPECT_EQ(StepUntilIdle(), -1);
  EXPECT_EQ(consumer_.loads, 1);
  EXPECT_EQ(consumer_.slices.size(), 3u);  // 10, 10, 5
  EXPECT_EQ(consumer_.committed, Offset(25));
  auto status = pump_->status();
  EXPECT_EQ(status.state, PumpState::kRunning);
  EXPECT_EQ(status.lag_offsets, 0u);
  EXPECT_EQ(status.commits, 3u);
}

TEST_F(PumpTest, BeginsWhereTheOutputEnds) {
  source_.end = Offset(25);
  consumer_.committed = Offset(20);
  StepUntilIdle();
  ASSERT_EQ(consumer_.slices.size(), 1u);
  EXPECT_EQ(consumer_.slices[0].begin, Offset(20));
}

TEST_F(PumpTest, APartitionWithoutProgressBeginsAtTheFirstRetainedOffset) {
  source_.first = Offset(7);
  source_.end = Offset(9);
  consumer_.has_progress = false;
  consumer_.committed = consumer_.staged = Offset(7);
  StepUntilIdle();
  ASSERT_EQ(consumer_.slices.size(), 1u);
  EXPECT_EQ(consumer_.slices[0].begin, Offset(7));
}

TEST_F(PumpTest, CommitsByRows) {
  consumer_.when = {20, 0, 0};
  source_.end = Offset(19);
  EXPECT_EQ(StepUntilIdle(), -1);
  EXPECT_EQ(consumer_.commits_tried, 0);
  source_.end = Offset(20);
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(20));
}

TEST_F(PumpTest, CommitsByBytes) {
  consumer_.when = {1'000'000, 150, 0};
  source_.end = Offset(14);
  StepUntilIdle();
  EXPECT_EQ(consumer_.commits_tried, 0);
  source_.end = Offset(15);
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(15));
}

TEST_F(PumpTest, CommitsByAgeAndWaitsJustSoLong) {
  consumer_.when = {1'000'000, 0, 5'000};
  source_.end = Offset(3);
  int64_t wait = StepUntilIdle();
  EXPECT_GT(wait, 0);
  EXPECT_LE(wait, 5'000);
  EXPECT_EQ(consumer_.commits_tried, 0);
  world_.env().clock.SleepUs(5'000);
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(3));
}

TEST_F(PumpTest, AfterAConflictItLoadsAndAppliesAgain) {
  source_.end = Offset(5);
  consumer_.commit_errors = {ErrorCode::kConflict};
  StepUntilIdle();
  EXPECT_EQ(consumer_.loads, 2);
  EXPECT_EQ(consumer_.slices.size(), 2u);
  EXPECT_EQ(consumer_.committed, Offset(5));
  EXPECT_EQ(pump_->status().conflicts, 1u);
}

// Who is failing waits for room behind others, and some of them wait for ever: a table whose commit came from elsewhere would be
// loaded no more, and never try the commit that tells.
TEST_F(PumpTest, OneConflictIsNoFailureAndTheNextOneIs) {
  source_.end = Offset(5);
  consumer_.commit_errors = {ErrorCode::kConflict, ErrorCode::kConflict};
  while (consumer_.loads < 2) pump_->Step();
  EXPECT_FALSE(pump_->is_failing());
  const int64_t wait = StepUntilIdle();
  EXPECT_TRUE(pump_->is_failing());
  world_.env().clock.SleepUs(wait);
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(5));
  EXPECT_FALSE(pump_->is_failing());
}

TEST_F(PumpTest, ACommitOfUnknownOutcomeThatLandedIsNotAppliedTwice) {
  source_.end = Offset(5);
  consumer_.commit_errors = {ErrorCode::kCommitUnknown};
  consumer_.lands_anyway = true;
  StepUntilIdle();
  EXPECT_EQ(consumer_.loads, 2);
  EXPECT_EQ(consumer_.slices.size(), 1u);
  EXPECT_EQ(pump_->status().committed.next["feed"][kP0], Offset(5));
}

TEST_F(PumpTest, RepeatedConflictsBackOff) {
  source_.end = Offset(5);
  consumer_.commit_errors = {ErrorCode::kConflict, ErrorCode::kConflict};
  int64_t wait = StepUntilIdle();
  EXPECT_GE(wait, 1'000);
  EXPECT_EQ(pump_->status().state, PumpState::kBackingOff);
  world_.env().clock.SleepUs(wait);
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(5));
}

TEST_F(PumpTest, BacksOffLongerEachTimeAndSaysWhy) {
  source_.end = Offset(5);
  consumer_.load_errors.assign(12, ErrorCode::kUnavailable);
  int64_t longest = 0;
  for (int i = 0; i < 12; i++) {
    int64_t wait = StepUntilIdle();
    ASSERT_GE(wait, 1'000);
    ASSERT_LE(wait, 8'000);
    longest = std::max(longest, wait);
    EXPECT_EQ(pump_->status().state, PumpState::kBackingOff);
    EXPECT_NE(pump_->status().cause.find("made up"), std::string::npos);
    world_.env().clock.SleepUs(wait);
  }
  EXPECT_GT(longest, 2'000);
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(5));
  EXPECT_EQ(pump_->status().cause, "");
}

TEST_F(PumpTest, AWakeUpDoesNotShortenTheBackOff) {
  consumer_.load_errors = {ErrorCode::kUnavailable};
  ASSERT_GT(StepUntilIdle(), 0);
  EXPECT_GT(pump_->Step(), 0);
  EXPECT_EQ(consumer_.loads, 1);
}

TEST_F(PumpTest, PausesVisiblyUntilResumed) {
  source_.end = Offset(5);
  consumer_.apply_errors = {ErrorCode::kCorruption};
  EXPECT_EQ(StepUntilIdle(), -1);
  EXPECT_EQ(pump_->status().state, PumpState::kPaused);
  EXPECT_NE(pump_->status().cause.find("made up"), std::string::npos);
  EXPECT_EQ(pump_->status().lag_offsets, 5u);
  EXPECT_EQ(pump_->Step(), -1);
  EXPECT_EQ(consumer_.loads, 1);
  pump_->Resume();
  StepUntilIdle();
  EXPECT_EQ(consumer_.committed, Offset(5));
  EXPECT_EQ(pump_->status().state, PumpState::kRunning);
}

TEST_F(PumpTest, StaysPausedWhenWhatShouldSettleItFails) {
  consumer_.load_errors = {ErrorCode::kInvalid};
  EXPECT_EQ(StepUntilIdle(), -1);
  std::vector<bool> answers;
  auto note = [&](const Result<void>& ended) { answers.push_back(ended.ok()); };
  pump_->Resume([]() -> Result<void> { return Error{ErrorCode::kInvalid, "not from there", {}}; }, note);
  EXPECT_EQ(StepUntilIdle(), -1);
  EXPECT_EQ(pump_->status().state, PumpState::kPaused);
  EXPECT_EQ(consumer_.loads, 1);
  EXPECT_EQ(answers, std::vector<bool>{false});
}

TEST_F(PumpTest, LoadsAgainOnceThePauseIsSettledAndTellsHowItEnded) {
  consumer_.load_errors = {ErrorCode::kInvalid, ErrorCode::kInvalid};
  EXPECT_EQ(StepUntilIdle(), -1);
  int settled = 0;
  std::vector<bool> answers;
  auto note = [&](const Result<void>& ended) { answers.push_back(ended.ok()); };
  auto settle = [&]() -> Result<void> { return settled++, Result<void>(); };
  pump_->Resume(settle, note);
  StepUntilIdle();
  EXPECT_EQ(pump_->status().state, PumpState::kPaused) << "the second Load failed, too";
  pump_->Resume(settle, note);
  StepUntilIdle();
  EXPECT_EQ(pump_->status().state, PumpState::kRunning);
  EXPECT_EQ(settled, 2);
  EXPECT_EQ(answers, (std::vector<bool>{false, true}));
}

TEST_F(PumpTest, ARunningPumpIsNotSettled) {
  EXPECT_EQ(StepUntilIdle(), -1);
  std::vector<ErrorCode> refused;
  int resumed = 0;
  pump_->Resume(
      []() -> Result<void> {
        ADD_FAILURE();
        return {};
      },
      [&](const Result<void>& ended) { refused.push_back(ended.error().code); });
  pump_->Resume({}, [&](const Result<void>& ended) { resumed += ended.ok() ? 1 : 0; });
  EXPECT_EQ(StepUntilIdle(), -1);
  EXPECT_EQ(refused, std::vector<ErrorCode>{ErrorCode::kInvalid});
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(consumer_.loads, 1);
}

TEST_F(PumpTest, ProgressThatTheLogDoesNotHavePauses) {
  source_.end = Offset(5);
  consumer_.committed = Offset(6);  // a restored backup
  StepUntilIdle();
  EXPECT_EQ(pump_->status().state, PumpState::kPaused);
}

TEST_F(PumpTest, CanBePausedFromOutside) {
  source_.end = Offset(5);
  pump_->Pause(Error{ErrorCode::kInvalid, "divergent copy", {}});
  StepUntilIdle();
  EXPECT_EQ(pump_->status().state, PumpState::kPaused);
  EXPECT_EQ(consumer_.loads, 0);
}

TEST_F(PumpTest, FlushCommitsWhatIsDurableInOneCommit) {
  consumer_.when = {1'000'000, 0, 0};
  source_.end = Offset(25);
  std::optional<Result<Progress>> answer;
  pump_->Flush(1'000'000, [&](Result<Progress> p) { answer = std::move(p); });
  StepUntilIdle();
  ASSERT_TRUE(answer.has_value());
  ASSERT_TRUE(answer->ok());
  EXPECT_EQ((*answer)->next.at("feed").at(kP0), Offset(25));
  EXPECT_EQ(consumer_.commits_tried, 1);
}

TEST_F(PumpTest, FlushOfNothingAnswersAtOnce) {
  bool ok = false;
  pump_->Flush(1'000'000, [&](Result<Progress> p) { ok = p.ok(); });
  StepUntilIdle();
  EXPECT_TRUE(ok);
  EXPECT_EQ(consumer_.commits_tried, 0);
}

TEST_F(PumpTest, FlushOfAPausedConsumerFailsWithItsCause) {
  source_.end = Offset(5);
  consumer_.commit_errors = {ErrorCode::kInvalid};
  std::optional<Result<Progress>> answer;
  pump_->Flush(1'000'000, [&](Result<Progress> p) { answer = std::move(p); });
  StepUntilIdle();
  ASSERT_TRUE(answer.has_value());
  ASSERT_FALSE(answer->ok());
  EXPECT_NE(answer->error().message.find("made up"), std::string::npos);
}

TEST_F(PumpTest, FlushGivesUpInTimeWhileItBacksOff) {
  source_.end = Offset(5);
  consumer_.load_errors.assign(100, ErrorCode::kUnavailable);
  std::optional<Result<Progress>> answer;
  pump_->Flush(20'000, [&](Result<Progress> p) { answer = std::move(p); });
  for (int i = 0; i < 100 && !answer; i++) world_.env().clock.SleepUs(std::max<int64_t>(1, StepUntilIdle()));
  ASSERT_TRUE(answer.has_value());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::kUnavailable);
  EXPECT_NE(answer->error().message.find("made up"), std::string::npos) << "it says what it waited for";
}

// The real log below, the pump in its thread: everything arrives once, also what is appended while it runs.
class CollectingConsumer : public Consumer {
 public:
  Result<Progress> Load() override {
    staged.clear();
    return progress;
  }
  Result<void> Apply(const Slice& slice) override {
    event::EventBatch batch;
    event::RecordPlaces places;
    return slice.Read([&](const FeedId& feed, const Frame& frame) -> Result<void> {
      EXPECT_EQ(feed, "raw-events");
      RETURN_IF_ERROR(event::DecodeRecordBatch(frame.record_batch, batch, places));
      for (size_t row = 0; row < batch.rows(); row++) staged.push_back(std::string(batch.Get(event::Attribute::kId, row)));
      return {};
    });
  }
  Result<void> Commit(const Progress& from, const Progress& next) override {
    EXPECT_TRUE(progress.next.empty() || from == progress);
    progress = next;
    ids.insert(ids.end(), staged.begin(), staged.end());
    staged.clear();
    return {};
  }
  CommitTrigger trigger() const override { return {}; }
  Progress progress;
  std::vector<std::string> staged, ids;
};

TEST(PumpOverLog, DeliversEveryEventOnce) {
  io::SimulatedWorld world(7);
  CollectingConsumer consumer;
  auto result = world.Run([&] {
    auto env = world.env();
    auto log = *Log::Open(env, kTestDirectory, SmallLogOptions());
    const auto* topic = *log->OpenTopic("raw-events", {});
    PumpOptions options;
    options.name = "collect";
    options.slice_bytes_max = 2'000;
    Pump pump(env, log->source(), consumer, {"raw-events"}, options);
    pump.Start();
    for (int i = 0; i < 100; i++) {
      auto appended = AppendEvents(*log, topic, LogPartition(i % 2), {{std::to_string(i), 0, "/test", std::string(500, 'x')}});
      ASSERT_TRUE(appended.ok()) << appended.error().ToString();
      ASSERT_TRUE(WaitDurable(env, *log, appended->durable_after));
      log->SetTiered("raw-events", pump.status().committed.next["raw-events"]);
    }
    bool flushed = false;
    auto done = env.threads.NewSignal();
    pump.Flush(60'000'000, [&](Result<Progress> p) { flushed = p.ok(); done->Notify(); });
    done->Wait();
    EXPECT_TRUE(flushed);
    pump.Stop();
    EXPECT_EQ(pump.status().state, PumpState::kStopped);
    ASSERT_TRUE(log->Shutdown().ok());
  });
  ASSERT_TRUE(result.finished()) << result.report;
  EXPECT_EQ(consumer.ids.size(), 100u);
  EXPECT_EQ(std::set<std::string>(consumer.ids.begin(), consumer.ids.end()).size(), 100u);
}

}  // namespace
}  // namespace sluice::log
