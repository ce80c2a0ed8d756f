// SPDX-License-Identifier: Apache-2.0
// What a failure in the middle of recycling leaves behind.

#include <algorithm>

#include "base/bytes.h"
#include "io/forwarding_files.h"
#include "log/internal/journal_directory.h"
#include "log/internal/journal_format.h"
#include "log/test_log_fixture.h"

namespace sluice::log {
namespace {

// A disk whose directories cannot be synced after a segment became a spare one.
class FailsAfterRetirement final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  bool failed() const { return failed_; }

  Result<void> Rename(const Path& from, const Path& to) override {
    failing_ = failing_ || to.find("/spare-") != Path::npos;
    return files_.Rename(from, to);
  }
  Result<void> SyncDirectory(const Path& directory) override {
    if (!failing_) return files_.SyncDirectory(directory);
    failed_ = true;
    return Error{ErrorCode::kIo, "input/output error", {}};
  }
  void Recover() { failing_ = false; }

 private:
  bool failing_ = false, failed_ = false;
};

using LogRecycle = LogTest;

// Found by the simulator: the checkpoint of the shutdown asked for the segment again that was renamed already, and the log refused to
// open, because the segment was missing.
TEST_F(LogRecycle, AShutdownAfterAFailedRetirementLeavesALogThatOpens) {
  Run([&] {
    const auto env = world_.env();
    FailsAfterRetirement files(env.files);
    {
      auto opened = Log::Open(EnvWith(files), kTestDirectory, SmallLogOptions());
      ASSERT_TRUE(opened.ok()) << opened.error().ToString();
      auto& log = **opened;
      auto* topic = OpenTopic(log);
      for (int i = 0; i < 100 && !files.failed(); i++) {
        AppendDurably(log, topic, kP0, {{std::to_string(i), i, "/test", std::string(20'000, 'x')}});
        log.SetTiered("raw-events", {{kP0, Offset(i + 1)}});
        Settle(env, log, 5);
      }
      ASSERT_TRUE(files.failed()) << "nothing was recycled";
      files.Recover();
      ASSERT_TRUE(log.Shutdown().ok());
    }
    auto again = Log::Open(env, kTestDirectory, SmallLogOptions());
    ASSERT_TRUE(again.ok()) << again.error().ToString();
    EXPECT_TRUE((*again)->Shutdown().ok());
  });
}

// Found by the simulator on a disk that lost a write: the oldest segment could not be copied, no new one was made, and senders waited
// without an answer for a reason that only the server's log told.
TEST_F(LogRecycle, DamageThatStopsTheJournalIsToldToSendersUntilTheTableHasTheRows) {
  Run([&] {
    const auto env = world_.env();
    auto log = Log::Open(env, kTestDirectory, SmallLogOptions()).value();
    auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"first", 0, "/test", std::string(20'000, 'x')}});
    world_.CorruptByte(LogPaths{kTestDirectory}.segment(SegmentNumber(1)), 2 * kBlock + 1'000, 1);
    int64_t stored = 1;
    Result<AppendResult> last = AppendResult();
    for (int i = 0; i < 200 && last.ok(); i++) {
      last = AppendEvents(*log, topic, kP0, {{std::to_string(i), i, "/test", std::string(3'000, 'x')}});
      if (!last.ok()) break;
      ASSERT_TRUE(WaitDurable(env, *log, last->durable_after)) << i;
      stored++;
      Settle(env, *log, 5);
    }
    ASSERT_FALSE(last.ok()) << "nothing was recycled";
    EXPECT_EQ(last.error().code, ErrorCode::kCorruption);
    EXPECT_NE(last.error().message.find("is not what was written"), std::string::npos) << last.error().ToString();
    log->SetTiered("raw-events", {{kP0, Offset(stored)}});
    for (int i = 0; i < 200 && !last.ok(); i++) {
      env.clock.SleepUs(100'000);
      log->Tick(env.clock.Now());
      last = AppendEvents(*log, topic, kP0, {{"after"}});
    }
    ASSERT_TRUE(last.ok()) << last.error().ToString();
    EXPECT_TRUE(log->Shutdown().ok());
  });
}

uint64_t SparesOnDisk(io::FileSystem& files) {
  const auto names = files.List(std::string(kTestDirectory) + "/journal").value();
  return static_cast<uint64_t>(std::count_if(names.begin(), names.end(), [](auto& name) { return name.starts_with("spare-"); }));
}

// The first commit of the newest segment, cut in the middle: all that a process left of its first write.
void TearNextCommit(io::FileSystem& files) {
  const LogPaths paths{kTestDirectory};
  const auto names = files.List(paths.journal).value();
  uint64_t newest = 0, sequence = 0;
  JournalId id;
  for (const std::string& name : names) {
    if (!name.ends_with(".segment") || name.starts_with("spare-")) continue;
    const std::string bytes = io::ReadFile(files, base::JoinPath(paths.journal, name)).value();
    newest = std::stoull(name);
    std::copy_n(bytes.begin() + 16, id.size(), id.begin());
    for (uint64_t at = kBlock; at < bytes.size(); at += kBlock) {
      const char* commit = bytes.data() + at;
      const bool own = bytes.compare(at, 8, "SLCOMMIT") == 0 && base::GetLittle<uint64_t>(commit + 32) == newest && base::GetLittle<uint64_t>(commit + 40) == at;
      if (own) sequence = std::max(sequence, base::GetLittle<uint64_t>(commit + 48));
    }
  }
  CommitHeader header{kJournalFormatVersion, 1, id, SegmentNumber(newest), kBlock, CommitSequence(sequence + 1), Timestamp{2'000'000'000'000'000}, 6'000, 12345};
  std::string torn(kBlock, 'x');
  EncodeCommitHeader(header, torn.data());
  auto file = files.Open(paths.segment(SegmentNumber(newest)), {.mode = io::OpenMode::kReadWrite}).value();
  ASSERT_TRUE(file->Write(kBlock, torn).ok() && file->Sync().ok());
}

// Found by a kill in the middle of the first write after a start: the torn tail was cut, the journal went on in a fresh segment, all rows
// went to their table, and the segment of the newest commit was recycled. The journal held no commit at all then, and did not open.
TEST_F(LogRecycle, TheSegmentOfTheNewestCommitStaysWhileItsSuccessorsHoldNone) {
  Run([&] {
    const auto env = world_.env();
    auto log = Log::Open(env, kTestDirectory, SmallLogOptions()).value();
    auto* topic = OpenTopic(*log);
    for (int i = 0; i < 30; i++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(i), i, "/test", std::string(20'000, 'x')}});
      log->SetTiered("raw-events", {{kP0, Offset(i + 1)}});
      Settle(env, *log, 5);
    }
    for (int crash = 0; crash < 4; crash++) {
      ASSERT_TRUE(log->Shutdown().ok());
      log.reset();
      TearNextCommit(env.files);
      auto again = Log::Open(env, kTestDirectory, SmallLogOptions());
      ASSERT_TRUE(again.ok()) << crash << ": " << again.error().ToString();
      log = std::move(*again);
      log->SetTiered("raw-events", {{kP0, Offset(30)}});
      Settle(env, *log, 100);
    }
    topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"behind it", 30, "/test", std::string(20'000, 'x')}});
    EXPECT_TRUE(log->Shutdown().ok());
    log.reset();
    EXPECT_TRUE(Log::Open(env, kTestDirectory, SmallLogOptions()).ok());
  });
}

TEST_F(LogRecycle, SpareSegmentsAreCountedAlsoAfterARestart) {
  Run([&] {
    const auto env = world_.env();
    auto log = Log::Open(env, kTestDirectory, SmallLogOptions()).value();
    EXPECT_EQ(log->stats().spare_segments, 0u);
    const auto before = log->stats().journal_bytes;
    auto* topic = OpenTopic(*log);
    for (int i = 0; i < 100 && SparesOnDisk(env.files) == 0; i++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(i), i, "/test", std::string(20'000, 'x')}});
      log->SetTiered("raw-events", {{kP0, Offset(i + 1)}});
      Settle(env, *log, 5);
    }
    Settle(env, *log, 5);  // the rename is seen before the log hears of it
    const auto spares = SparesOnDisk(env.files);
    ASSERT_GT(spares, 0u) << "nothing was recycled";
    EXPECT_EQ(log->stats().spare_segments, spares);
    EXPECT_GE(log->stats().journal_bytes, before + spares * SmallLogOptions().segment_bytes);
    ASSERT_TRUE(log->Shutdown().ok());
    log.reset();
    log = Log::Open(env, kTestDirectory, SmallLogOptions()).value();
    EXPECT_EQ(log->stats().spare_segments, SparesOnDisk(env.files));
    EXPECT_TRUE(log->Shutdown().ok());
  });
}

}  // namespace
}  // namespace sluice::log
