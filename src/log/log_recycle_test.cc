// SPDX-License-Identifier: Apache-2.0
// What a failure in the middle of recycling leaves behind.

#include <algorithm>

#include "log/test_log_fixture.h"

namespace sluice::log {
namespace {

// A disk whose directories cannot be synced after a segment became a spare one.
class FailsAfterRetirement final : public io::FileSystem {
 public:
  explicit FailsAfterRetirement(io::FileSystem& files) : files_(files) {}
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
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override { return files_.Open(path, options); }
  Result<std::unique_ptr<io::File>> OpenUnnamed(const Path& directory) override { return files_.OpenUnnamed(directory); }
  Result<io::FileInfo> Stat(const Path& path) override { return files_.Stat(path); }
  Result<std::vector<std::string>> List(const Path& directory) override { return files_.List(directory); }
  Result<void> CreateDirectories(const Path& directory) override { return files_.CreateDirectories(directory); }
  Result<void> RenameToNew(const Path& from, const Path& to) override { return files_.RenameToNew(from, to); }
  Result<void> Remove(const Path& path) override { return files_.Remove(path); }
  Result<io::FileSystemSpace> Space(const Path& path) override { return files_.Space(path); }
  Result<std::unique_ptr<io::FileLock>> Lock(const Path& path) override { return files_.Lock(path); }
  void Recover() { failing_ = false; }

 private:
  io::FileSystem& files_;
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
      auto opened = Log::Open({files, env.objects, env.memory, env.clock, env.random, env.threads, env.log, env.metrics, env.processes}, kTestDirectory, SmallLogOptions());
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

uint64_t SparesOnDisk(io::FileSystem& files) {
  const auto names = files.List(std::string(kTestDirectory) + "/journal").value();
  return static_cast<uint64_t>(std::count_if(names.begin(), names.end(), [](auto& name) { return name.starts_with("spare-"); }));
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
