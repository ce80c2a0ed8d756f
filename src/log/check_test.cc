// SPDX-License-Identifier: Apache-2.0
#include "log/check.h"

#include <gtest/gtest.h>

#include "log/test_log.h"

namespace sluice::log {
namespace {

// A log that has every kind of file: segments, topic files, runs, checkpoints.
void MakeLog(io::SimulatedWorld& world) {
  auto result = world.Run([&] {
    auto options = SmallLogOptions();
    options.dedup_run_keys_max = 5;
    auto log = *Log::Open(world.env(), kTestDirectory, options);
    const auto* topic = *log->OpenTopic("raw-events", {});
    for (int i = 0; i < 30; i++) {
      auto appended = AppendEvents(*log, topic, LogPartition(0), {{std::to_string(i), 0, "/test", std::string(15'000, 'x')}});
      ASSERT_TRUE(appended.ok()) << appended.error().ToString();
      ASSERT_TRUE(WaitDurable(world.env(), *log, appended->durable_after));
      Settle(world.env(), *log, 3);
    }
    ASSERT_TRUE(log->Shutdown().ok());
  });
  ASSERT_TRUE(result.finished()) << result.report;
}

std::vector<Path> FilesBelow(io::FileSystem& files, const Path& directory) {
  std::vector<Path> out;
  auto names = *files.List(directory);
  for (const auto& name : names) {
    Path path = base::JoinPath(directory, name);
    if (files.Stat(path)->is_directory) {
      for (auto& below : FilesBelow(files, path)) out.push_back(std::move(below));
    } else if (!name.starts_with("spare-") && !name.ends_with(".new")) {
      out.push_back(path);
    }
  }
  return out;
}

TEST(CheckLog, PassesAWholeLog) {
  io::SimulatedWorld world(1);
  MakeLog(world);
  auto check = CheckLog(world.env(), kTestDirectory);
  EXPECT_TRUE(check.findings.empty()) << check.findings.front();
  EXPECT_EQ(check.passed.size(), 5u);
  ASSERT_NE(check.source, nullptr);
  EXPECT_EQ(check.source->DurableEnds("raw-events")->at(LogPartition(0)), Offset(30));
}

TEST(CheckLog, ChangesNothing) {
  io::SimulatedWorld world(1);
  MakeLog(world);
  auto& files = world.env().files;
  auto before = FilesBelow(files, kTestDirectory);
  std::vector<std::string> bytes;
  for (const auto& path : before) bytes.push_back(*io::ReadFile(files, path));
  EXPECT_TRUE(CheckLog(world.env(), kTestDirectory).findings.empty());
  EXPECT_EQ(FilesBelow(files, kTestDirectory), before);
  for (size_t i = 0; i < before.size(); i++) EXPECT_EQ(*io::ReadFile(files, before[i]), bytes[i]) << before[i];
}

// Method: damage the 40th byte of one file after the other (all of them begin with bytes that are used).
TEST(CheckLog, NamesTheFileThatIsDamaged) {
  io::SimulatedWorld world(1);
  MakeLog(world);
  auto& files = world.env().files;
  size_t kinds = 0;
  for (const char* kind : {"journal", "topics", "dedup", "checkpoints"}) kinds += *io::Exists(files, base::JoinPath(kTestDirectory, kind));
  ASSERT_EQ(kinds, 4u);
  auto all = FilesBelow(files, kTestDirectory);
  for (const auto& path : all) {
    bool older_checkpoint = path.find("checkpoints/") != path.npos && path != FilesBelow(files, base::JoinPath(kTestDirectory, "checkpoints")).back();
    if (older_checkpoint) continue;  // the newest is whole: it is not read
    world.CorruptByte(path, 40, 1);
    auto check = CheckLog(world.env(), kTestDirectory);
    ASSERT_FALSE(check.findings.empty()) << path;
    EXPECT_NE(check.findings.front().find(path), std::string::npos) << path << ": " << check.findings.front();
    world.CorruptByte(path, 40, 1);
  }
}

TEST(CheckLog, AnEmptyDirectoryIsNoLog) {
  io::SimulatedWorld world(1);
  EXPECT_FALSE(CheckLog(world.env(), "/nowhere").findings.empty());
}

}  // namespace
}  // namespace sluice::log
