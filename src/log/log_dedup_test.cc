// SPDX-License-Identifier: Apache-2.0
// One event once: duplicates in one request, in flight, after restarts, for the whole window and no longer.

#include <algorithm>

#include "io/forwarding_files.h"
#include "log/test_log_fixture.h"

namespace sluice::log {
namespace {

using LogDedup = LogTest;

TEST_F(LogDedup, AnswersADuplicateWithTheFirstPlace) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a"}, {"b"}});
    auto again = Append(*log, topic, kP1, {{"b"}, {"c"}});
    EXPECT_TRUE(again.rows[0].duplicate);
    EXPECT_EQ(again.rows[0].partition, kP0);
    EXPECT_EQ(again.rows[0].offset, Offset(1));
    EXPECT_FALSE(again.rows[1].duplicate);
    EXPECT_EQ(again.rows[1].offset, Offset(0));
    EXPECT_EQ(again.duplicates, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
    EXPECT_EQ(StoredIds(*log, kP1), std::vector<std::string>{"c"});
  });
}

TEST_F(LogDedup, ADuplicateOfADurableEventIsAnsweredAtOnce) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a"}});
    EXPECT_EQ(Append(*log, topic, kP0, {{"a"}}).durable_after, CommitSequence());
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogDedup, ADuplicateOfAPendingEventWaitsForItsCommit) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    auto first = Append(*log, topic, kP0, {{"a"}});
    EXPECT_EQ(Append(*log, topic, kP0, {{"a"}}).durable_after, first.durable_after);
    log->Tick(world_.env().clock.Now());  // cut: in flight now
    ASSERT_LT(log->durable(), first.durable_after);
    auto later = Append(*log, topic, kP0, {{"b"}});
    EXPECT_GT(later.durable_after, first.durable_after);
    EXPECT_EQ(Append(*log, topic, kP0, {{"a"}}).durable_after, first.durable_after);
    EXPECT_EQ(Append(*log, topic, kP0, {{"b"}}).durable_after, later.durable_after);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// A request between Log::Draft and Log::Append.
class DraftedRequest {
 public:
  DraftedRequest(Log& log, const Topic* topic, const std::vector<TestEvent>& events) : log_(log) {
    batch_.Reset(std::string_view(bytes_).substr(0, 1));
    for (const auto& e : events) AddEvent(batch_, e);
    draft_.topics = {topic};
    draft_.routes.assign(events.size(), Route{0, kP0, {}});
    log_.Draft(batch_, principal_, draft_);
  }
  Result<AppendResult> Append() {
    AppendResult result;
    RETURN_IF_ERROR(log_.Append(batch_, principal_, draft_, result));
    return result;
  }

 private:
  Log& log_;
  const Principal principal_;
  const std::string bytes_ = std::string(64, ' ');
  event::EventBatch batch_;
  AppendDraft draft_;
};

// Goal: runs are asked when a request is decoded, which may be long before its turn.
// Method: a draft that knows some runs, and none, waits while what it holds comes by other requests, is sealed and becomes part of longer runs.
TEST_F(LogDedup, ADraftThatWaitedMeetsWhatWasSealedMeanwhile) {
  Run([&] {
    auto options = SmallLogOptions();
    options.dedup_table_keys_max = 3;
    options.dedup_run_keys_max = 1'000;
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    const std::vector<TestEvent> events = {{"1"}, {"7"}, {"90"}, {"new"}};
    const auto first = std::make_unique<DraftedRequest>(*log, topic, events);
    uint64_t runs_max = 0;
    std::unique_ptr<DraftedRequest> later;
    for (int i = 0; i < 100; i++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(i)}});
      Settle(world_.env(), *log, 3);
      runs_max = std::max(runs_max, log->stats().dedup_runs);
      if (i == 20) later = std::make_unique<DraftedRequest>(*log, topic, events);
    }
    EXPECT_GT(runs_max, 3u);
    EXPECT_LT(log->stats().dedup_runs, 20u) << "runs of three keys were merged";
    for (auto* one : {first.get(), later.get()}) {
      const auto result = one->Append();
      ASSERT_TRUE(result.ok()) << result.error().ToString();
      EXPECT_EQ(result->rows[0].offset, Offset(1));
      EXPECT_EQ(result->rows[1].offset, Offset(7));
      EXPECT_EQ(result->rows[2].offset, Offset(90));
      EXPECT_EQ(result->duplicates, one == first.get() ? 3u : 4u);
    }
    ASSERT_TRUE(log->Shutdown().ok());
    EXPECT_EQ(StoredIds(*log, kP0).size(), 101u);
  });
}

// A disk that counts reads of dedup runs, and fails them when told to.
class ReadsOfRuns final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  size_t reads() const { return reads_; }
  void Fail(bool fails) { fails_ = fails; }

  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    ASSIGN_OR_RETURN(auto file, files_.Open(path, options));
    if (!path.ends_with(".run")) return file;
    return std::unique_ptr<io::File>(std::make_unique<Counted>(std::move(file), *this));
  }

 private:
  class Counted final : public io::ForwardingFile {
   public:
    Counted(std::unique_ptr<io::File> file, ReadsOfRuns& all) : ForwardingFile(std::move(file)), all_(all) {}
    Result<size_t> Read(uint64_t at, std::span<char> to) override {
      all_.reads_++;
      if (all_.fails_) return Error{ErrorCode::kIo, "input/output error", {}};
      return file_->Read(at, to);
    }

   private:
    ReadsOfRuns& all_;
  };
  size_t reads_ = 0;
  bool fails_ = false;
};

// Goal: an old duplicate is looked for on the disk by the thread that decodes; Append, on the loop, reads only what a draft could not, and
// says why when it cannot either.
TEST_F(LogDedup, TheDraftReadsOldDuplicatesFromDisk) {
  Run([&] {
    const auto env = world_.env();
    ReadsOfRuns files(env.files);
    auto options = SmallLogOptions();
    options.dedup_table_keys_max = 1;
    auto log = Log::Open(EnvWith(files), kTestDirectory, options).value();
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a"}});
    Settle(env, *log);
    ASSERT_EQ(log->stats().dedup_runs, 1u);
    const std::vector<TestEvent> again = {{"a"}, {"new"}};

    const size_t before = files.reads();
    DraftedRequest read(*log, topic, again);
    EXPECT_EQ(files.reads(), before + 1);
    EXPECT_EQ(read.Append()->duplicates, 1u);
    EXPECT_EQ(files.reads(), before + 1) << "not read a second time, on the loop";

    files.Fail(true);
    DraftedRequest refused(*log, topic, again), read_later(*log, topic, again);
    const auto result = refused.Append();
    ASSERT_FALSE(result.ok()) << "whether it is a duplicate is not known";
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    files.Fail(false);
    EXPECT_EQ(read_later.Append()->duplicates, 2u);
    ASSERT_TRUE(log->Shutdown().ok());
    EXPECT_EQ(StoredIds(*log, kP0), (std::vector<std::string>{"a", "new"}));
  });
}

// Goal: sealed runs answer like the table they came from, and are forgotten when the window has passed.
// Method: tiny runs; a clock that jumps over the hour and over the window.
TEST_F(LogDedup, KnowsDuplicatesForTheWholeWindowAndNotForever) {
  Run([&] {
    auto options = SmallLogOptions();
    options.dedup_run_keys_max = 3;
    {
      auto log = Open(options);
      auto* topic = OpenTopic(*log);
      for (int i = 0; i < 10; i++) AppendDurably(*log, topic, kP0, {{std::to_string(i)}});
      Settle(world_.env(), *log);
      EXPECT_GT(log->stats().dedup_runs, 1u);
      EXPECT_EQ(Append(*log, topic, kP1, {{"0"}}).rows[0].offset, Offset(0));
      ASSERT_TRUE(log->Shutdown().ok());
    }
    world_.JumpClock(kMicrosPerDay - kMicrosPerHour);
    auto log = Open(options);
    const auto* topic = log->FindTopic("raw-events");
    for (int i = 0; i < 10; i++) {
      auto again = Append(*log, topic, kP1, {{std::to_string(i)}});
      EXPECT_EQ(again.duplicates, 1u) << i;
      EXPECT_EQ(again.rows[0].offset, Offset(i));
    }
    Settle(world_.env(), *log);  // what the open table still held is sealed by age
    world_.JumpClock(2 * kMicrosPerHour);
    Settle(world_.env(), *log);
    EXPECT_EQ(log->stats().dedup_runs, 0u);
    EXPECT_EQ(Append(*log, topic, kP1, {{"0"}}).accepted, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// Goal: keys leave memory a few at a time, and yet there are few runs to look into, each no larger than it may be.
TEST_F(LogDedup, SmallRunsJoinUntilTheyAreAsLargeAsTheyMayBe) {
  Run([&] {
    auto options = SmallLogOptions();
    options.dedup_table_keys_max = 3;
    options.dedup_run_keys_max = 48;
    constexpr int kEvents = 144, kRunsMax = kEvents / 48 + 15;  // whole ones, and fifteen that wait for the sixteenth
    {
      auto log = Open(options);
      auto* topic = OpenTopic(*log);
      for (int i = 0; i < kEvents; i++) {
        AppendDurably(*log, topic, kP0, {{std::to_string(i)}});
        Settle(world_.env(), *log, 10);
      }
      EXPECT_LE(log->stats().dedup_runs, static_cast<uint64_t>(kRunsMax));
      EXPECT_GE(log->stats().dedup_runs, static_cast<uint64_t>(kEvents / 48 - 1));
      for (int i = 0; i < kEvents; i++) ASSERT_EQ(Append(*log, topic, kP1, {{std::to_string(i)}}).rows[0].offset, Offset(i));
      ASSERT_TRUE(log->Shutdown().ok());
    }
    auto log = Open(options);
    for (int i = 0; i < kEvents; i++)
      ASSERT_EQ(Append(*log, log->FindTopic("raw-events"), kP1, {{std::to_string(i)}}).rows[0].offset, Offset(i));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// A disk on which dedup runs are read as slowly as the test wants it: what merges them is the only one to read them past the page cache.
class HangingMerges final : public io::ForwardingFiles {
 public:
  HangingMerges(io::FileSystem& files, io::Clock& clock) : ForwardingFiles(files), clock_(clock) {}
  bool hangs() const { return hangs_; }
  void GoOn() { allowed_ = true; }

  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    while (options.uncached && options.mode == io::OpenMode::kRead && !allowed_) {
      hangs_ = true;
      clock_.SleepUs(1'000);
    }
    return files_.Open(path, options);
  }

 private:
  io::Clock& clock_;
  bool hangs_ = false, allowed_ = false;
};

// Found under load: runs were merged by the thread that also seals and recycles, and senders waited for more than a second.
// Goal: whatever a merge takes, tables are sealed and segments go round; only what is being read does not expire.
TEST_F(LogDedup, AMergeThatHangsStopsNeitherSealingNorRecycling) {
  Run([&] {
    const auto env = world_.env();
    HangingMerges files(env.files, env.clock);
    auto options = SmallLogOptions();
    options.dedup_table_keys_max = 1;
    options.dedup_run_keys_max = 64;
    auto log = Log::Open(EnvWith(files), kTestDirectory, options).value();
    auto* topic = OpenTopic(*log);
    const int per_round = static_cast<int>(options.journal_bytes_max / 20'000);
    int sent = 0;
    for (; sent < 100 && !files.hangs(); sent++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(sent)}});
      Settle(env, *log, 10);
    }
    ASSERT_TRUE(files.hangs()) << "nothing was merged";
    const uint64_t runs_before = log->stats().dedup_runs;
    for (int i = 0; i < 3 * per_round; i++, sent++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(sent), i, "/test", std::string(20'000, 'x')}});
      log->SetTiered("raw-events", {{kP0, Offset(sent + 1)}});
      Settle(env, *log, 10);
    }
    EXPECT_GE(log->stats().dedup_runs, runs_before + 3 * per_round - 3);
    world_.JumpClock(2 * kMicrosPerDay);
    Settle(env, *log);
    EXPECT_GT(log->stats().dedup_runs, runs_before);
    files.GoOn();
    Settle(env, *log, 200);
    EXPECT_EQ(log->stats().dedup_runs, 0u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// Counts the files of dedup runs that a thread closes.
class ClosingThreads final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  size_t ClosedBy(const void* thread) const { return static_cast<size_t>(std::count(closed_.begin(), closed_.end(), thread)); }
  size_t closed() const { return closed_.size(); }

  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    ASSIGN_OR_RETURN(auto file, files_.Open(path, options));
    if (!path.ends_with(".run")) return file;
    return std::unique_ptr<io::File>(std::make_unique<Closing>(std::move(file), closed_));
  }

 private:
  class Closing final : public io::ForwardingFile {
   public:
    Closing(std::unique_ptr<io::File> file, std::vector<const void*>& closed) : ForwardingFile(std::move(file)), closed_(closed) {}
    ~Closing() override { closed_.push_back(io::ThisThread()); }

   private:
    std::vector<const void*>& closed_;
  };
  std::vector<const void*> closed_;  // one actor at a time
};

// Found under load: the loop closed the files of runs that had been merged and removed, and stood still for 100 ms while their space
// became free.
TEST_F(LogDedup, RunsThatGoAreNotClosedByTheLoop) {
  Run([&] {
    const auto env = world_.env();
    ClosingThreads files(env.files);
    auto options = SmallLogOptions();
    options.dedup_table_keys_max = 1;
    options.dedup_run_keys_max = 64;
    auto log = Log::Open(EnvWith(files), kTestDirectory, options).value();
    auto* topic = OpenTopic(*log);
    for (int i = 0; i < 20; i++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(i)}});
      Settle(env, *log, 10);
    }
    const size_t merged = files.closed();
    EXPECT_GE(merged, 16u);
    world_.JumpClock(2 * kMicrosPerDay);
    Settle(env, *log);
    EXPECT_EQ(log->stats().dedup_runs, 0u);
    EXPECT_GT(files.closed(), merged);
    EXPECT_EQ(files.ClosedBy(io::ThisThread()), 0u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogDedup, TwoCopiesInOneRequestAreOneEvent) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    auto result = AppendDurably(*log, topic, kP0, {{"x"}, {"a"}, {"a"}, {"y"}});
    EXPECT_EQ(result.accepted, 3u);
    EXPECT_TRUE(result.rows[2].duplicate);
    EXPECT_EQ(result.rows[2].offset, result.rows[1].offset);
    EXPECT_EQ(result.rows[3].offset, Offset(2));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogDedup, TenantTopicAndSourceArePartsOfTheKey) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    auto* other = OpenTopic(*log, "raw-other");
    AppendDurably(*log, topic, kP0, {{"a"}});
    EXPECT_EQ(Append(*log, other, kP0, {{"a"}}).accepted, 1u);
    EXPECT_EQ(Append(*log, topic, kP0, {{"a", event::EventBatch::kNoTime, "/elsewhere"}}).accepted, 1u);
    auto tenant = AppendEvents(*log, topic, kP0, {{"a"}}, "another");
    ASSERT_TRUE(tenant.ok());
    EXPECT_EQ(tenant->accepted, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogDedup, KnowsDuplicatesAfterARestart) {
  Run([&] {
    {
      auto log = Open();
      AppendDurably(*log, OpenTopic(*log), kP1, {{"a"}, {"b"}});
      ASSERT_TRUE(log->Shutdown().ok());
    }
    auto log = Open();
    auto again = Append(*log, log->FindTopic("raw-events"), kP0, {{"b"}});
    EXPECT_EQ(again.duplicates, 1u);
    EXPECT_EQ(again.rows[0].partition, kP1);
    EXPECT_EQ(again.rows[0].offset, Offset(1));
    EXPECT_EQ(again.durable_after, CommitSequence());
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// Found by the simulator: after a restart the journal goes round before a new event comes, an empty table joined the newest run, and
// the run took over that it had no newest key: it expired at once.
// Method: seal everything, restart, fill segments with state only.
TEST_F(LogDedup, ATableWithoutKeysDoesNotMakeARunOld) {
  Run([&] {
    auto options = SmallLogOptions();
    options.dedup_run_keys_max = 3;
    {
      auto log = Open(options);
      AppendDurably(*log, OpenTopic(*log), kP0, {{"a"}, {"b"}, {"c"}});
      Settle(world_.env(), *log);
      ASSERT_EQ(log->stats().dedup_runs, 1u);
      ASSERT_TRUE(log->Shutdown().ok());
    }
    auto log = Open(options);
    log->SetTiered("raw-events", {{kP0, Offset(3)}});
    for (int i = 0; i < 90; i++) {
      ASSERT_TRUE(log->PutState("__cursors", "key", std::string(20'000, 'x')).ok());
      Settle(world_.env(), *log, 10);
    }
    auto names = world_.env().files.List(std::string(kTestDirectory) + "/journal");
    ASSERT_TRUE(names.ok());
    ASSERT_GT(names->front(), "00000000000000000002.segment") << "the journal did not go round";
    EXPECT_LE(log->stats().dedup_runs, 17u) << "sixteen of those without keys become one";
    EXPECT_EQ(Append(*log, log->FindTopic("raw-events"), kP0, {{"a"}}).duplicates, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

}  // namespace
}  // namespace sluice::log
