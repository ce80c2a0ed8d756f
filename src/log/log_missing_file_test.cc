// SPDX-License-Identifier: Apache-2.0
// A topic file that is not there: it was tiered, or somebody lost it.

#include "log/test_log_fixture.h"

namespace sluice::log {
namespace {

class LogMissingFile : public LogTest {
 protected:
  // Four or more topic files of one partition, nothing of them in a table; the log is closed.
  void Make() {
    auto log = Open();
    const auto* topic = OpenTopic(*log);
    for (int i = 0; i < 60; i++) {
      AppendDurably(*log, topic, kP0, {{std::to_string(i), i, "/test", std::string(20'000, 'x')}});
      Settle(world_.env(), *log, 5);
    }
    ASSERT_TRUE(log->Shutdown().ok());
    ASSERT_GE(Files().size(), 4u);
  }
  std::vector<Path> Files() {
    const Path directory = std::string(kTestDirectory) + "/topics/raw-events/0";
    std::vector<Path> out;
    const auto names = world_.env().files.List(directory);
    for (auto& name : *names) out.push_back(directory + "/" + name);
    return out;
  }
  void ExpectRefused(size_t missing, const std::string& said) {
    const auto before = Files();
    const Path aside = "/aside";
    ASSERT_TRUE(world_.env().files.Rename(before[missing], aside).ok());
    auto opened = Log::Open(world_.env(), kTestDirectory, SmallLogOptions());
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
    EXPECT_NE(opened.error().message.find(said), std::string::npos) << opened.error().ToString();
    EXPECT_NE(opened.error().hint.find("topics/raw-events/0"), std::string::npos) << opened.error().ToString();
    EXPECT_EQ(Files().size(), before.size() - 1) << "the others are untouched";
    ASSERT_TRUE(world_.env().files.Rename(aside, before[missing]).ok());
  }
};

// Recovery took it for one that was tiered, and removed the ones before it.
TEST_F(LogMissingFile, InTheMiddleIsNamedAndTheOthersStay) {
  Run([&] {
    Make();
    const auto bases = Files();
    const auto base = [&](size_t i) { return std::to_string(std::stoll(bases[i].substr(bases[i].rfind('/') + 1))); };
    ExpectRefused(1, "log partition 0 of topic 'raw-events' lacks its offsets " + base(1) + " to " + base(2));
    ExpectRefused(0, "lacks its offsets 0 to " + base(1));
    ExpectRefused(bases.size() - 1, "lacks its offsets " + base(bases.size() - 1) + " to ");
    EXPECT_EQ(StoredIds(*Open(), kP0).size(), 60u) << "put back, it opens";
  });
}

// Goal: what a crash leaves of files that may go is no loss.
// Method: all is tiered, and the oldest file comes back, as a removal does that was not synced.
TEST_F(LogMissingFile, ThatWasTieredIsNoLoss) {
  Run([&] {
    Make();
    const auto before = Files();
    auto bytes = io::ReadFile(world_.env().files, before[0]);
    {
      auto log = Open();
      log->SetTiered("raw-events", {{kP0, Offset(60)}});
      Settle(world_.env(), *log, 50);
      EXPECT_TRUE(Files().empty());
      AppendDurably(*log, OpenTopic(*log), kP0, {{"next"}});
    }
    ASSERT_TRUE(io::WriteFileAtomically(world_.env().files, before[0], *bytes).ok());
    auto log = Open();
    EXPECT_EQ(StoredIds(*log, kP0).back(), "next");
    Settle(world_.env(), *log, 5);
    EXPECT_TRUE(Files().empty());
  });
}

// A checkpoint must say that a file is in the table before it goes: the table itself is not here to be asked.
TEST_F(LogMissingFile, GoesOnlyWhenTwoCheckpointsSayThatItIsTiered) {
  Run([&] {
    Make();
    {
      auto log = Open();
      log->SetTiered("raw-events", {{kP0, Offset(60)}});
      Settle(world_.env(), *log, 50);
      EXPECT_TRUE(Files().empty());
    }
    const Path checkpoints = std::string(kTestDirectory) + "/checkpoints";
    const auto names = world_.env().files.List(checkpoints);
    world_.CorruptByte(checkpoints + "/" + names->back(), 100, 1);
    auto log = Log::Open(world_.env(), kTestDirectory, SmallLogOptions());
    EXPECT_TRUE(log.ok()) << log.error().ToString();
  });
}

}  // namespace
}  // namespace sluice::log
