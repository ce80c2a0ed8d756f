// SPDX-License-Identifier: Apache-2.0
#include "server/restore.h"

#include <set>

#include "server/test_pipelines.h"
#include "table/table_rows.h"

namespace sluice::server {
namespace {

constexpr char kData[] = "/data", kLog[] = "/data/log", kBackup[] = "/backup";

// A directory whose log is from a backup, in a world of its own.
class RestoredDirectory : public TestPipelines {
 public:
  using TestPipelines::TestPipelines;

  // a, b: in the table and in the backup. c: in the backup, and since in the table. d, e: in the table only. f: in neither.
  void Make() {
    auto ran = world().Run([&] {
      auto pipeline = Open();
      Send(*pipeline, {"a", "b"});
      Flush(*pipeline);
      Send(*pipeline, {"c"});
      ASSERT_TRUE(pipeline->Stop().ok());
      pipeline.reset();
      CopyTree(kLog, kBackup);
      pipeline = Open();
      Send(*pipeline, {"d", "e"});
      Flush(*pipeline);
      Send(*pipeline, {"f"});
      ASSERT_TRUE(pipeline->Stop().ok());
      pipeline.reset();
      ASSERT_TRUE(io::RemoveTree(env().files, kLog).ok());
      CopyTree(kBackup, kLog);
    });
    ASSERT_TRUE(ran.finished()) << ran.report;
  }

  Result<Restored> DoRestore() {
    ASSIGN_OR_RETURN(auto restore, Restore::Plan(env(), kData, catalog_opener()));
    return restore->Run();
  }

  // As after Make: what was done since is gone, but for commits to the table.
  void Reset() {
    auto& files = env().files;
    const auto names = files.List(kData);
    for (auto& name : *names) {
      if (!name.starts_with("log")) continue;
      ASSERT_TRUE(io::RemoveTree(files, std::string(kData) + "/" + name).ok());
    }
    CopyTree(kBackup, kLog);
    ASSERT_TRUE(DataDirectory::Adopt(env(), kData).ok());
  }

  // Everything is sent again: what is in the table is known, the rest comes in.
  std::unique_ptr<Pipeline> OpenAndSendAll() {
    auto pipeline = Open();
    auto again = Send(*pipeline, {"a", "b", "c", "d", "e", "f", "g"});
    EXPECT_EQ(again.accepted, 2u);
    EXPECT_EQ(again.duplicates, 5u);
    const auto view = pipeline->registry().View().tables.at(0);
    uint64_t hot_rows = 0;
    for (auto& chunk : view.chunks) hot_rows += chunk.rows;
    EXPECT_EQ(hot_rows, 2u);
    EXPECT_EQ(Rows(), (std::multiset<std::string>{"a", "b", "c", "d", "e"}));
    return pipeline;
  }

  void SendAllAndFlush() {
    auto pipeline = OpenAndSendAll();
    Flush(*pipeline);
    EXPECT_EQ(Rows(), (std::multiset<std::string>{"a", "b", "c", "d", "e", "f", "g"}));
    EXPECT_TRUE(pipeline->Stop().ok());
  }

  std::multiset<std::string> Rows() {
    std::multiset<std::string> ids;
    iceberg::Catalog catalog(world().catalog(), env(), {io::PathToUri(std::string(kData) + "/warehouse")});
    auto table = catalog.LoadTable({"bronze", "events"});
    EXPECT_TRUE(table.ok());
    auto visited = table::VisitTableRows(env(), *table->metadata, log::Offset(0), [&](const log::TableRow& row) {
      ids.emplace(row.id);
      return Result<void>();
    });
    EXPECT_TRUE(visited.ok());
    return ids;
  }

  void CopyTree(const Path& from, const Path& to) {
    auto& files = env().files;
    ASSERT_TRUE(files.CreateDirectories(to).ok());
    const auto names = files.List(from);
    for (auto& name : *names) {
      const Path source = from + "/" + name, target = to + "/" + name;
      if (files.Stat(source)->is_directory) {
        CopyTree(source, target);
        continue;
      }
      ASSERT_TRUE(io::WriteFileAtomically(files, target, *io::ReadFile(files, source)).ok());
    }
  }
};

TEST(Restore, LogThatIsOlderThanItsTableGoesOnBehindIt) {
  RestoredDirectory directory(1);
  directory.Make();
  auto ran = directory.world().Run([&] {
    auto refused = directory.TryOpen();
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().hint.find("`sluice restore --data /data`"), std::string::npos) << refused.error().ToString();
    auto restored = directory.DoRestore();
    ASSERT_TRUE(restored.ok()) << restored.error().ToString();
    ASSERT_TRUE(restored->successor);
    EXPECT_EQ(restored->successor->keys_learnt, 2u);
    EXPECT_EQ(restored->old_log, "/data/log.before-restore-1");
    auto again = directory.DoRestore();
    ASSERT_TRUE(again.ok()) << again.error().ToString();
    EXPECT_FALSE(again->successor) << "the new log reaches its table";
    directory.SendAllAndFlush();
  });
  EXPECT_TRUE(ran.finished()) << ran.report;
}

// Found by the simulator: statements did not know a table whose topic is younger than the backup, until its next event.
TEST(Restore, TableOfATopicThatTheBackupDoesNotKnowIsThere) {
  RestoredDirectory directory(1);
  auto ran = directory.world().Run([&] {
    auto pipeline = directory.Open();
    ASSERT_TRUE(pipeline->Stop().ok());
    pipeline.reset();
    directory.CopyTree(kLog, kBackup);
    pipeline = directory.Open();
    directory.Send(*pipeline, {"a", "b"});
    directory.Flush(*pipeline);
    ASSERT_TRUE(pipeline->Stop().ok());
    pipeline.reset();
    directory.Reset();
    ASSERT_TRUE(directory.DoRestore().ok());
    pipeline = directory.Open();
    const auto tables = pipeline->registry().View().tables;
    ASSERT_EQ(tables.size(), 1u);
    ASSERT_NE(tables[0].version, nullptr);
    EXPECT_EQ(tables[0].version->metadata.current_snapshot()->summary.at("total-records"), "2");
    const auto again = directory.Send(*pipeline, {"a", "b", "c"});
    EXPECT_EQ(again.duplicates, 2u);
    directory.Flush(*pipeline);
    EXPECT_EQ(directory.Rows(), (std::multiset<std::string>{"a", "b", "c"}));
    ASSERT_TRUE(pipeline->Stop().ok());
  });
  EXPECT_TRUE(ran.finished()) << ran.report;
}

// Ends a restore at its io call `at`, then does it again. True: there was no such call.
bool InterruptAt(RestoredDirectory& directory, uint64_t at, io::CrashKind kind) {
  auto& world = directory.world();
  directory.Reset();
  io::SimulationOptions options;
  options.crash_at_io = world.io_count() + at;
  options.crash_kind = kind;
  world.SetOptions(options);
  bool is_done = false;
  const bool crashed = world.Run([&] { is_done = directory.DoRestore().ok(); }).crashed();
  EXPECT_TRUE(crashed || is_done);
  world.SetOptions({});
  auto ran = world.Run([&] {
    auto opened = directory.TryOpen();  // accepted when all was done; otherwise refused with the way out
    const bool was_done = opened.ok();
    if (was_done) {
      ASSERT_TRUE((*opened)->Stop().ok());
    } else {
      ASSERT_NE(opened.error().hint.find("`sluice restore --data /data`"), std::string::npos) << opened.error().ToString();
    }
    opened = Error{ErrorCode::kCancelled, {}};
    auto restored = directory.DoRestore();
    ASSERT_TRUE(restored.ok()) << restored.error().ToString();
    EXPECT_FALSE(was_done && restored->successor);
    EXPECT_TRUE(directory.OpenAndSendAll()->Stop().ok());
  });
  EXPECT_TRUE(ran.finished()) << ran.report;
  return !crashed;
}

// Goal: whenever a restore is interrupted, it can be run again, and no event is lost or doubled.
// Method: it is ended at its io calls in turn, some of them on the same directory.
void InterruptEverywhere(io::CrashKind kind, uint64_t step) {
  constexpr uint64_t kTriesOfADirectory = 10;
  std::unique_ptr<RestoredDirectory> directory;
  for (uint64_t at = 1; !testing::Test::HasFailure(); at += step) {
    SCOPED_TRACE("crash at io call " + std::to_string(at));
    if (at / step % kTriesOfADirectory == 0 || directory == nullptr) {
      directory = std::make_unique<RestoredDirectory>(1);
      directory->Make();
    }
    if (!InterruptAt(*directory, at, kind)) continue;
    EXPECT_GT(at, 100u);
    break;
  }
}

TEST(Restore, PowerFailureAtEveryCallLosesAndDoublesNothing) { InterruptEverywhere(io::CrashKind::kMachine, 1); }
TEST(Restore, KillAtAnyCallLosesAndDoublesNothing) { InterruptEverywhere(io::CrashKind::kProcess, 5); }

}  // namespace
}  // namespace sluice::server
