// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include "io/forwarding_files.h"
#include "log/internal/journal_directory.h"
#include "log/internal/segment_files.h"
#include "log/test_log_fixture.h"

namespace sluice::log {
namespace {

TEST_F(LogTest, GivesOffsetsFromZeroInEachPartition) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    auto first = Append(*log, topic, kP0, {{"a"}, {"b"}});
    auto second = Append(*log, topic, kP0, {{"c"}});
    auto other = Append(*log, topic, kP1, {{"d"}});
    EXPECT_EQ(first.rows[0].offset, Offset(0));
    EXPECT_EQ(first.rows[1].offset, Offset(1));
    EXPECT_EQ(second.rows[0].offset, Offset(2));
    EXPECT_EQ(other.rows[0].offset, Offset(0));
    EXPECT_EQ(first.accepted, 2u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, ReadersSeeOnlyWhatIsDurable) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    auto result = Append(*log, topic, kP0, {{"a"}});
    EXPECT_GT(result.durable_after, log->durable());
    EXPECT_TRUE(StoredIds(*log, kP0).empty());
    ASSERT_TRUE(WaitDurable(world_.env(), *log, result.durable_after));
    EXPECT_EQ(StoredIds(*log, kP0), std::vector<std::string>{"a"});
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, ReopenedItGoesOnWhereItEnded) {
  Run([&] {
    {
      auto log = Open();
      AppendDurably(*log, OpenTopic(*log), kP0, {{"a"}, {"b"}});
      ASSERT_TRUE(log->Shutdown().ok());
    }
    auto log = Open();
    const auto* topic = log->FindTopic("raw-events");
    ASSERT_NE(topic, nullptr);
    EXPECT_EQ(topic->partition_count(), 2);
    auto result = AppendDurably(*log, topic, kP0, {{"c"}});
    EXPECT_EQ(result.rows[0].offset, Offset(2));
    EXPECT_EQ(StoredIds(*log, kP0), (std::vector<std::string>{"a", "b", "c"}));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// No space for the next segment stops appends, not the log; they go on when there is space again.
TEST_F(LogTest, AFullDiskIsBackPressure) {
  Run([&] {
    auto options = SmallLogOptions();
    options.journal_bytes_max = 64 * options.segment_bytes;
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    Settle(world_.env(), *log, 5);
    io::SimulationOptions full;
    full.disk_bytes_max = 1;
    world_.SetOptions(full);
    int accepted = 0;
    Result<AppendResult> last = AppendResult();
    for (; accepted < 100; accepted++) {
      last = AppendEvents(*log, topic, kP0, {{std::to_string(accepted), 0, "/test", std::string(9'000, 'x')}});
      if (!last.ok()) break;
      Settle(world_.env(), *log, 2);
    }
    ASSERT_FALSE(last.ok());
    EXPECT_EQ(last.error().code, ErrorCode::kExhausted);
    EXPECT_GT(StoredIds(*log, kP0).size(), 5u);  // reading goes on
    world_.SetOptions({});
    for (int i = 0; i < 200 && !last.ok(); i++) {
      world_.env().clock.SleepUs(100'000);
      log->Tick(world_.env().clock.Now());
      last = AppendEvents(*log, topic, kP0, {{"after"}});
    }
    ASSERT_TRUE(last.ok());
    ASSERT_TRUE(WaitDurable(world_.env(), *log, last->durable_after));
    EXPECT_EQ(StoredIds(*log, kP0).size(), static_cast<size_t>(accepted) + 1);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// Found on a full tmpfs: requests were gathered into a commit that had no place, and their senders waited without an answer.
TEST_F(LogTest, AFullDiskRefusesWhatItCouldNotAnswer) {
  Run([&] {
    auto options = SmallLogOptions();
    options.journal_bytes_max = 64 * options.segment_bytes;
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    Settle(world_.env(), *log, 5);
    io::SimulationOptions full;
    full.disk_bytes_max = 1;
    world_.SetOptions(full);
    AppendResult result;
    Result<void> last;
    for (int i = 0; i < 100 && last.ok(); i++) {
      event::EventBatch batch;
      std::string bytes(65, ' ');
      batch.Reset(std::string_view(bytes).substr(0, 1));
      AddEvent(batch, {std::to_string(i), 0, "/test", std::string(3'000, 'x')});
      Route route{0, kP0, {}};
      last = AppendRows(*log, batch, Principal(), {topic}, {route}, result);
      const bool answered = !last.ok() || WaitDurable(world_.env(), *log, result.durable_after);
      ASSERT_TRUE(answered) << i;
    }
    ASSERT_FALSE(last.ok());
    EXPECT_EQ(result.refusal, AppendRefusal::kDiskFull);
    Settle(world_.env(), *log, 20);
    EXPECT_GT(log->tick_delay_us(), 0) << "a mark that has no place is no reason to spin";
    auto stopped = log->Shutdown();
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, ErrorCode::kExhausted);
  });
}

// Counts files that are made.
class CountingFiles final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    made += options.mode == io::OpenMode::kCreate;
    return files_.Open(path, options);
  }
  int made = 0;
};

// Found on a full tmpfs beside other work: a segment was written up to where the disk was full, which took so long that the one before was
// full meanwhile; what had gathered for it waited without an answer.
TEST_F(LogTest, ASegmentThatHasNoSpaceIsNotBegun) {
  Run([&] {
    CountingFiles files(world_.env().files);
    const LogPaths paths(kTestDirectory);
    ASSERT_TRUE(files.CreateDirectories(paths.journal).ok());
    const SegmentRequest request{MakeIdentity(world_.env().random).id, SegmentNumber(1), 1 << 20};
    io::SimulationOptions full;
    full.disk_bytes_max = request.bytes - 1;
    world_.SetOptions(full);
    const auto refused = PrepareSegment(EnvWith(files), paths, request);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
    EXPECT_EQ(files.made, 0);
    world_.SetOptions({});
    EXPECT_TRUE(PrepareSegment(EnvWith(files), paths, request).ok());
  });
}

TEST_F(LogTest, ADamagedNewestCheckpointCostsNothing) {
  Run([&] {
    for (int i = 0; i < 3; i++) {
      auto log = Open();
      AppendDurably(*log, OpenTopic(*log), kP0, {{std::to_string(i)}});
      ASSERT_TRUE(log->Shutdown().ok());
    }
    Path directory = base::JoinPath(kTestDirectory, "checkpoints");
    auto names = *world_.env().files.List(directory);
    ASSERT_EQ(names.size(), 2u);
    world_.CorruptByte(base::JoinPath(directory, names[1]), 60, 1);
    auto log = Open();
    EXPECT_EQ(StoredIds(*log, kP0), (std::vector<std::string>{"0", "1", "2"}));
    EXPECT_EQ(AppendDurably(*log, log->FindTopic("raw-events"), kP0, {{"3"}}).rows[0].offset, Offset(3));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, OptionsNameTheBoundThatIsBroken) {
  Run([&] {
    auto refused = [&](auto change) {
      auto options = SmallLogOptions();
      change(options);
      auto log = Log::Open(world_.env(), kTestDirectory, options);
      return !log.ok() && log.error().code == ErrorCode::kInvalid;
    };
    EXPECT_TRUE(refused([](LogOptions& o) { o.segment_bytes += 1; }));
    EXPECT_TRUE(refused([](LogOptions& o) { o.segment_bytes = 60 << 10; }));
    EXPECT_TRUE(refused([](LogOptions& o) { o.journal_bytes_max = 4 * o.segment_bytes - 1; }));
    EXPECT_TRUE(refused([](LogOptions& o) { o.commit_bytes_max = o.segment_bytes; }));
    EXPECT_FALSE(refused([](LogOptions& o) { o.commit_bytes_max = o.segment_bytes - 4096; }));
    EXPECT_TRUE(refused([](LogOptions& o) { o.partitions_default = kPartitionsMax + 1; }));
    EXPECT_FALSE(refused([](LogOptions& o) { o.partitions_default = kPartitionsMax; }));
  });
}

TEST_F(LogTest, JudgesEachEventAgainstTheWatermarkBeforeIt) {
  Run([&] {
    auto options = SmallLogOptions();
    options.watermark_delay_us = 10;
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a", 1'000}, {"edge", 990}, {"late", 989}, {"b", 2'000}, {"late2", 1'000}});
    auto stored = ReadStored(*log, "raw-events");
    ASSERT_TRUE(stored.ok());
    std::vector<bool> late;
    for (const auto& e : (*stored)[kP0]) late.push_back(e.late);
    EXPECT_EQ(late, (std::vector<bool>{false, false, true, false, true}));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, AnEventFromTheFutureDoesNotMoveTheWatermark) {
  Run([&] {
    auto options = SmallLogOptions();
    options.watermark_delay_us = 0;
    options.time_ahead_us_max = 1'000'000'000;
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    int64_t now = world_.env().clock.Now().us;
    AppendDurably(*log, topic, kP0, {{"future", now + 2'000'000'000}, {"now", now}});
    auto stored = ReadStored(*log, "raw-events");
    ASSERT_TRUE(stored.ok());
    EXPECT_FALSE((*stored)[kP0][1].late);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, TheWatermarkSurvivesARestart) {
  Run([&] {
    auto options = SmallLogOptions();
    options.watermark_delay_us = 10;
    {
      auto log = Open(options);
      AppendDurably(*log, OpenTopic(*log), kP0, {{"a", 1'000}});
      ASSERT_TRUE(log->Shutdown().ok());
    }
    auto log = Open(options);
    AppendDurably(*log, log->FindTopic("raw-events"), kP0, {{"late", 989}});
    auto stored = ReadStored(*log, "raw-events");
    ASSERT_TRUE(stored.ok());
    EXPECT_TRUE((*stored)[kP0][1].late);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, AppendTimeNeverGoesBack) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a"}});
    world_.JumpClock(-3'600'000'000);
    AppendDurably(*log, topic, kP0, {{"b"}});
    auto reader = log->NewReader("raw-events", {{kP0, Offset(0)}});
    ASSERT_TRUE(reader.ok());
    auto run = (*reader)->Next(1 << 20);
    ASSERT_TRUE(run.ok());
    ASSERT_EQ(run->frames().size(), 2u);
    EXPECT_GE(run->frames()[1].append_time, run->frames()[0].append_time);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// Goal: what a reader has read ahead of a segment that is still being written does not stand for what was written since.
TEST_F(LogTest, AReaderReadsAheadAndStillSeesWhatIsWrittenLater) {
  Run([&] {
    auto options = SmallLogOptions();
    options.tail_bytes_max = 1;  // commits are read from their segment as soon as another one is durable
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    auto reader = log->NewReader("raw-events", {{kP0, Offset(0)}});
    ASSERT_TRUE(reader.ok());
    size_t seen = 0;
    for (int round = 0; round < 4; round++) {
      for (int i = 0; i < 3; i++) AppendDurably(*log, topic, kP0, {{std::to_string(round * 3 + i)}});
      auto run = (*reader)->Next(1);
      ASSERT_TRUE(run.ok()) << run.error().ToString();
      seen += run->frames().size();
    }
    for (bool more = true; more;) {
      auto run = (*reader)->Next(1);
      ASSERT_TRUE(run.ok()) << run.error().ToString();
      seen += run->frames().size();
      more = !run->empty();
    }
    EXPECT_EQ(seen, 12u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, TheLastCommitGetsASuccessor) {
  Run([&] {
    auto log = Open();
    auto result = AppendDurably(*log, OpenTopic(*log), kP0, {{"a"}});
    EXPECT_EQ(log->durable(), result.durable_after);
    Settle(world_.env(), *log, 20);
    EXPECT_EQ(log->durable(), result.durable_after + 1);  // one idle mark, not more
    ASSERT_TRUE(log->Shutdown().ok());
    EXPECT_EQ(log->durable(), result.durable_after + 1);
  });
}

TEST_F(LogTest, AFullTopicStopsItselfOnly) {
  Run([&] {
    auto options = SmallLogOptions();
    options.untiered_bytes_max = 3'000;
    auto log = Open(options);
    auto* full = OpenTopic(*log);
    auto* other = OpenTopic(*log, "raw-other");
    AppendDurably(*log, full, kP0, {{"a", 0, "/test", std::string(3'000, ' ')}});
    auto refused = AppendEvents(*log, full, kP0, {{"b"}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
    EXPECT_NE(refused.error().message.find("raw-events"), std::string::npos);
    EXPECT_EQ(Append(*log, other, kP0, {{"b"}}).accepted, 1u);
    log->SetTiered("raw-events", {{kP0, Offset(1)}});
    log->Tick(world_.env().clock.Now());
    EXPECT_EQ(Append(*log, full, kP0, {{"b"}}).accepted, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, ARequestLargerThanACommitIsRefusedAndLeavesNothing) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    auto refused = AppendEvents(*log, topic, kP0, {{"a", 0, "/test", std::string(40'000, ' ')}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(Append(*log, topic, kP0, {{"a"}}).accepted, 1u);  // it left no dedup entry
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, AFullCommitIsBackPressure) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    Append(*log, topic, kP0, {{"a", 0, "/test", std::string(20'000, ' ')}});
    auto refused = AppendEvents(*log, topic, kP0, {{"b", 0, "/test", std::string(20'000, ' ')}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
    log->Tick(world_.env().clock.Now());
    EXPECT_EQ(Append(*log, topic, kP0, {{"b", 0, "/test", std::string(20'000, ' ')}}).accepted, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, AFailedWriteClosesItForGood) {
  Run([&] {
    auto options = SmallLogOptions();
    int fatal = 0;
    options.on_fatal = [&](const Error&) { fatal++; };
    auto log = Open(options);
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a"}});
    io::SimulationOptions faults;
    faults.write_error = 1;
    world_.SetOptions(faults);
    auto result = Append(*log, topic, kP0, {{"b"}});
    for (int i = 0; i < 20; i++) {
      log->Tick(world_.env().clock.Now());
      log->written().Wait(1'000);
    }
    world_.SetOptions({});
    EXPECT_EQ(fatal, 1);
    EXPECT_LT(log->durable(), result.durable_after);
    auto refused = AppendEvents(*log, topic, kP0, {{"c"}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    EXPECT_FALSE(log->Shutdown().ok());
  });
}

// Method: a commit could be cut at once. While more comes it is, when it is large enough or half a millisecond old.
TEST_F(LogTest, ASmallYoungCommitWaitsForWhatComesAndForNothingElse) {
  Run([&] {
    auto log = Open();
    auto* topic = OpenTopic(*log);
    Settle(world_.env(), *log);
    const auto clock = [&]() -> io::Clock& { return world_.env().clock; };
    int asked = 0;
    // Answers whether the commit was cut in this round: what comes next is durable with another one.
    const auto cut = [&](bool more_comes, CommitSequence waiting) {
      log->Tick(clock().Now(), more_comes);
      return Append(*log, topic, kP0, {{"next " + std::to_string(asked++)}}).durable_after > waiting;
    };
    auto first = Append(*log, topic, kP0, {{"a"}});
    EXPECT_FALSE(cut(true, first.durable_after));
    clock().SleepUs(400);
    EXPECT_FALSE(cut(true, first.durable_after));
    clock().SleepUs(100);
    EXPECT_TRUE(cut(true, first.durable_after));
    ASSERT_TRUE(WaitDurable(world_.env(), *log, first.durable_after + 1));

    // Found by a review: the loop slept for as long as the body took that it had been told of.
    auto in_vain = Append(*log, topic, kP0, {{"in vain"}});
    EXPECT_FALSE(cut(true, in_vain.durable_after));
    EXPECT_LE(log->tick_delay_us(), 501);
    clock().SleepUs(log->tick_delay_us());
    EXPECT_TRUE(cut(true, in_vain.durable_after));
    ASSERT_TRUE(WaitDurable(world_.env(), *log, in_vain.durable_after + 1));

    auto alone = Append(*log, topic, kP0, {{"b"}});
    EXPECT_FALSE(cut(true, alone.durable_after));
    EXPECT_TRUE(cut(false, alone.durable_after)) << "nothing to wait for";
    ASSERT_TRUE(WaitDurable(world_.env(), *log, alone.durable_after + 1));

    auto large = Append(*log, topic, kP0, {{"c", 0, "/test", std::string(9'000, 'x')}});
    EXPECT_TRUE(cut(true, large.durable_after)) << "a quarter of what a commit can hold";
    ASSERT_TRUE(WaitDurable(world_.env(), *log, large.durable_after + 1));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, OneRequestIsInOneCommit) {
  Run([&] {
    auto log = Open();
    std::vector<const Topic*> topics = {OpenTopic(*log), OpenTopic(*log, "raw-other")};
    event::EventBatch batch;
    std::string bytes(64, ' ');
    batch.Reset(std::string_view(bytes).substr(0, 1));
    for (const char* id : {"a", "b", "c", "d"}) AddEvent(batch, {id});
    std::vector<Route> routes = {{0, kP1, {}}, {1, kP0, {}}, {0, kP0, {}}, {0, kP1, {}}};
    AppendResult result;
    ASSERT_TRUE(AppendRows(*log, batch, Principal(), topics, routes, result).ok());
    EXPECT_EQ(result.rows[3].topic, 0);
    EXPECT_EQ(result.rows[3].partition, kP1);
    EXPECT_EQ(result.rows[3].offset, Offset(1));
    ASSERT_TRUE(WaitDurable(world_.env(), *log, CommitSequence(1)));
    EXPECT_EQ(StoredIds(*log, kP1), (std::vector<std::string>{"a", "d"}));
    EXPECT_EQ(StoredIds(*log, kP0), std::vector<std::string>{"c"});
    EXPECT_EQ(StoredIds(*log, kP0, "raw-other"), std::vector<std::string>{"b"});
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// Goal: records that were made before duplicates were known are not stored with them.
// Method: events with times, whose records Draft makes; one log partition with a duplicate of an earlier request and one within the
// request, one partition without.
TEST_F(LogTest, ADraftWithDuplicatesStoresTheOthers) {
  Run([&] {
    auto log = Open();
    const Topic* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a", 1'000}});
    event::EventBatch batch;
    std::string bytes(64, ' ');
    batch.Reset(std::string_view(bytes).substr(0, 1));
    for (const char* id : {"b", "a", "c", "b", "d"}) AddEvent(batch, {id, 2'000});
    AppendResult result;
    ASSERT_TRUE(
        AppendRows(*log, batch, Principal(), {topic}, {{0, kP0, {}}, {0, kP0, {}}, {0, kP1, {}}, {0, kP0, {}}, {0, kP0, {}}}, result).ok());
    EXPECT_EQ(result.accepted, 3u);
    EXPECT_EQ(result.duplicates, 2u);
    EXPECT_EQ(result.rows[1].offset, Offset(0));
    EXPECT_EQ(result.rows[3].offset, result.rows[0].offset);
    ASSERT_TRUE(WaitDurable(world_.env(), *log, result.durable_after));
    EXPECT_EQ(StoredIds(*log, kP0), (std::vector<std::string>{"a", "b", "d"}));
    EXPECT_EQ(StoredIds(*log, kP1), std::vector<std::string>{"c"});
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

class Recorder : public LogListener {
 public:
  void OnAdmitted(const event::EventBatch& batch, const Admitted& a) override {
    for (size_t i = 0; i < a.rows.size(); i++) {
      seen.push_back(std::string(batch.Get(event::Attribute::kId, a.rows[i])) + "@" +
                     std::to_string((a.base_offset + static_cast<int64_t>(i)).get()));
    }
    sequence = a.sequence;
  }
  void OnDurable(CommitSequence d) override { durable = d; }
  std::vector<std::string> seen;
  CommitSequence sequence, durable;
};

TEST_F(LogTest, TellsItsListenerWhatWasAdmittedAndWhenItIsDurable) {
  Run([&] {
    auto log = Open();
    Recorder recorder;
    log->SetListener(&recorder);
    auto* topic = OpenTopic(*log);
    auto result = Append(*log, topic, kP0, {{"a"}, {"a"}, {"b"}});
    EXPECT_EQ(recorder.seen, (std::vector<std::string>{"a@0", "b@1"}));
    EXPECT_EQ(recorder.sequence, result.durable_after);
    EXPECT_LT(recorder.durable, result.durable_after);
    ASSERT_TRUE(WaitDurable(world_.env(), *log, result.durable_after));
    EXPECT_EQ(recorder.durable, result.durable_after);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, ANewTopicCanBeginBehindWhatItsTableHolds) {
  Run([&] {
    auto log = Open();
    TopicConfig config;
    config.first_offsets = {{kP1, Offset(100)}};
    auto topic = log->OpenTopic("raw-events", config);
    ASSERT_TRUE(topic.ok());
    EXPECT_EQ(AppendDurably(*log, *topic, kP1, {{"a"}}).rows[0].offset, Offset(100));
    EXPECT_EQ(log->source().FirstRetained("raw-events")->at(kP1), Offset(100));
    EXPECT_FALSE(log->NewReader("raw-events", {{kP1, Offset(99)}}).ok());
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, RefusesBadTopicNames) {
  Run([&] {
    auto log = Open();
    for (const char* name : {"", "__topics", "a__b", "-a", "A", "a.b", "a/b"}) {
      auto topic = log->OpenTopic(name, {});
      ASSERT_FALSE(topic.ok()) << name;
      EXPECT_EQ(topic.error().code, ErrorCode::kInvalid);
    }
    EXPECT_TRUE(log->OpenTopic(std::string(201, 'a'), {}).ok());
    EXPECT_FALSE(log->OpenTopic(std::string(202, 'a'), {}).ok());
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// On a slow disk a stopped server zeroed its next segment for seconds, with the directory locked.
TEST_F(LogTest, AnEndDoesNotWaitForTheNextSegment) {
  auto options = SmallLogOptions();
  options.segment_bytes = 16 << 20;
  options.journal_bytes_max = 4 * options.segment_bytes;
  Run([&] {
    const LogPaths paths(kTestDirectory);
    auto is_there = [&](const Path& path) { return *io::Exists(world_.env().files, path); };
    auto log = Open(options);
    world_.env().clock.SleepUs(10'000);
    ASSERT_TRUE(is_there(paths.preparing())) << "it is ready already, or not begun";
    ASSERT_TRUE(log->Shutdown().ok());
    log.reset();
    EXPECT_FALSE(is_there(paths.preparing()));
    EXPECT_FALSE(is_there(paths.segment(SegmentNumber(2))));
  });
}

TEST_F(LogTest, StateSurvivesARestartWithOrWithoutACheckpoint) {
  Run([&] {
    {
      auto log = Open();
      ASSERT_TRUE(log->PutState("__cursors", "a", "1").ok());
      ASSERT_TRUE(log->PutState("__cursors", "b", "2").ok());
      ASSERT_TRUE(log->Shutdown().ok());  // writes a checkpoint
    }
    {
      auto log = Open();
      ASSERT_TRUE(log->PutState("__cursors", "a", std::nullopt).ok());
      ASSERT_TRUE(log->PutState("__cursors", "b", "3").ok());
      ASSERT_TRUE(WaitDurable(world_.env(), *log, log->durable() + 1));
    }  // and now without
    auto log = Open();
    EXPECT_EQ(log->StateOf("__cursors"), (std::map<std::string, std::string, std::less<>>{{"b", "3"}}));
    EXPECT_EQ(log->PutState("cursors", "a", "1").error().code, ErrorCode::kInvalid);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(LogTest, ChainsAgreeBetweenCutsReadersAndRestarts) {
  Run([&] {
    uint32_t at_two = 0, at_end = 0;
    {
      auto log = Open();
      auto* topic = OpenTopic(*log);
      AppendDurably(*log, topic, kP0, {{"a"}, {"b"}});
      AppendDurably(*log, topic, kP0, {{"c"}});
      at_two = *log->source().ChainAt("raw-events", kP0, Offset(2));
      at_end = *log->source().ChainAt("raw-events", kP0, Offset(3));
      auto cut = log->source().Cut("raw-events", {{kP0, Offset(0)}}, 1 << 20);
      ASSERT_TRUE(cut.ok());
      EXPECT_EQ(cut->at(kP0).end, Offset(3));
      EXPECT_EQ(cut->at(kP0).chain, at_end);
      EXPECT_EQ(log->source().ChainAt("raw-events", kP0, Offset(1)).error().code, ErrorCode::kNotFound);
      EXPECT_EQ(log->source().ChainAt("raw-events", kP0, Offset(0)).value(), 0u);
      ASSERT_TRUE(log->Shutdown().ok());
    }
    auto log = Open();
    EXPECT_NE(at_two, at_end);
    EXPECT_EQ(log->source().ChainAt("raw-events", kP0, Offset(2)).value(), at_two);
    EXPECT_EQ(log->source().ChainAt("raw-events", kP0, Offset(3)).value(), at_end);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

}  // namespace
}  // namespace sluice::log
