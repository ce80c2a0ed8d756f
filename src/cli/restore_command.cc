// SPDX-License-Identifier: Apache-2.0
#include "cli/restore_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/console.h"
#include "cli/serve_command.h"
#include "server/restore.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kIdentityBytesMax = 64 << 10;

// kInvalid: it was made elsewhere, and its tables hold that path.
Result<void> CheckPlace(io::Env env, const Path& path) {
  ASSIGN_OR_RETURN(const bool known, io::Exists(env.files, path + "/directory.json"));
  if (!known)
    return Error{ErrorCode::kNotFound, "\"" + path + "\" is no data directory: it has no directory.json", "name the directory with --data"};
  ASSIGN_OR_RETURN(auto text, io::ReadFile(env.files, path + "/directory.json", kIdentityBytesMax));
  ASSIGN_OR_RETURN(auto identity, Json::Parse(text));
  if (const auto& made_at = identity["path"].AsString(); made_at != path)
    return Error{ErrorCode::kConflict, "\"" + path + "\" was made at \"" + made_at + "\" and its tables hold absolute paths",
                 "restore the backup to \"" + made_at + "\""};
  return {};
}

bool Confirm() {
  std::printf("Go on? [y/N] ");
  std::fflush(stdout);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

void PrintPlan(const Path& path, const server::RestorePlan& plan) {
  std::printf("%s becomes the data directory that `sluice serve` accepts at this path.\n", path.c_str());
  std::printf("Do this only when the original is gone for good: two directories that write to one catalog part.\n");
  if (plan.is_half_done) return void(std::printf("An earlier restore was interrupted: it is ended now.\n"));
  if (plan.reasons.empty())
    return void(
        std::printf("The log reaches its tables and stays as it is. Events that were acknowledged after the backup are not in here.\n"));
  for (auto& reason : plan.reasons) std::printf("  %s\n", reason.c_str());
  std::printf(
      "The log gets a successor with a new identity, whose log partitions begin behind the tables. What the old log has and no table\n");
  std::printf(
      "has is kept; ids of rows that only the tables have are learnt, so that nothing is taken twice. Lost is what was acknowledged\n");
  std::printf("after the backup and had not been moved to a table.\n");
}

void PrintSuccessor(const log::SuccessorReport& successor) {
  for (auto& [topic, partitions] : successor.topics) {
    for (auto& [partition, p] : partitions) {
      if (p.table_end == p.log_end) continue;
      std::printf("%s, log partition %d: the log ended at %lld, the table at %lld; ", topic.c_str(), partition.get(),
                  static_cast<long long>(p.log_end.get()), static_cast<long long>(p.table_end.get()));
      if (p.kept > 0) std::printf("%s kept for the table\n", Counted(static_cast<int64_t>(p.kept), "offset").c_str());
      else std::printf("goes on at %lld\n", static_cast<long long>(p.table_end.get()));
    }
  }
  std::printf("%s learnt from the tables.\n", Counted(static_cast<int64_t>(successor.keys_learnt), "id").c_str());
}

void PrintDone(const Path& path, const server::Restored& restored) {
  if (restored.successor) PrintSuccessor(*restored.successor);
  if (!restored.old_log.empty()) std::printf("The old log lies in %s; remove it when all is well.\n", restored.old_log.c_str());
  std::printf("Done. Now: sluice serve --data %s\n", path.c_str());
}

}  // namespace

void RestoreAction::Define(CLI::App& app) {
  app.footer(
      "A copied directory is refused by `sluice serve`: two that write to one catalog would part. This says that the copy is the one.\n"
      "A log that ends before its tables, because it is older than they are, is replaced by one that goes on behind them.");
  app.add_option("--data", data_, "Data directory (default ./sluice-data)")->type_name("DIR");
  app.add_flag("--yes", yes_, "Do not ask");
}

int RestoreAction::Run() {
  io::RealWorld world(io::LogLevel::kWarn);
  const Path path = CanonicalDirectory(data_);
  if (auto placed = CheckPlace(world.env(), path); !placed.ok()) return Fail(placed.error()), kExitFailed;
  auto restore =
      server::Restore::Plan(world.env(), path, [](const Path& file) { return io::OpenSqliteCatalogStore(file, server::kCatalogName); });
  if (!restore.ok()) return Fail(restore.error()), kExitFailed;
  PrintPlan(path, (*restore)->plan());
  if (!yes_ && !StdinIsTerminal()) return Fail({ErrorCode::kInvalid, "nobody is there to be asked", "say --yes"});
  if (!yes_ && !Confirm()) return std::printf("Nothing was changed.\n"), kExitFailed;
  auto restored = (*restore)->Run();
  if (!restored.ok()) return Fail(restored.error()), kExitFailed;
  PrintDone(path, *restored);
  return kExitOk;
}

}  // namespace sluice::cli
