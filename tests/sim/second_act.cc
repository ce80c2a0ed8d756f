// SPDX-License-Identifier: Apache-2.0
#include "sim/second_act.h"

#include "iceberg/orphan_files.h"
#include "server/restore.h"
#include "sim/damage.h"
#include "sim/forwarding_catalog.h"

namespace sluice::sim {
namespace {

constexpr char kBackup[] = "/backup";
constexpr int64_t kOrphanPollUs = 10 * kMicrosPerSecond;
constexpr int kOrphanPolls = 30;  // the server looks every minute

Path LogOf(const RunState& run) { return run.scenario.server.data + "/log"; }

Result<void> CopyTree(io::FileSystem& files, const Path& from, const Path& to) {
  RETURN_IF_ERROR(files.CreateDirectories(to));
  ASSIGN_OR_RETURN(auto names, files.List(from));
  for (auto& name : names) {
    const Path source = from + "/" + name, target = to + "/" + name;
    ASSIGN_OR_RETURN(auto info, files.Stat(source));
    if (info.is_directory) {
      RETURN_IF_ERROR(CopyTree(files, source, target));
      continue;
    }
    ASSIGN_OR_RETURN(auto bytes, io::ReadFile(files, source));
    RETURN_IF_ERROR(io::WriteFileAtomically(files, target, bytes));
  }
  return {};
}

Result<void> PutInPlace(io::FileSystem& files, const Path& data, const Path& log) {
  RETURN_IF_ERROR(files.Rename(log, data + "/log.of-the-first-act"));
  RETURN_IF_ERROR(files.SyncDirectory(data));
  return CopyTree(files, kBackup, log);
}

Result<size_t> CountOrphans(RunState& run, io::Env env, int64_t before_us) {
  iceberg::Catalog catalog(run.world.catalog(""), env, {io::PathToUri(run.scenario.server.data + "/warehouse")});
  size_t count = 0;
  ASSIGN_OR_RETURN(auto namespaces, catalog.ListNamespaces());
  for (auto& table_namespace : namespaces) {
    ASSIGN_OR_RETURN(auto names, catalog.ListTables(table_namespace));
    for (auto& name : names) {
      ASSIGN_OR_RETURN(auto orphans, iceberg::FindOrphans(catalog, env.objects, {table_namespace, name}, before_us));
      if (orphans.kept_because.empty()) count += orphans.files.size();
    }
  }
  return count;
}

}  // namespace

void BackUpLog(RunState& run, io::Env env) {
  auto exists = io::Exists(env.files, LogOf(run) + "/journal/identity.json");  // else it is no log yet
  if (!exists.ok() || !*exists) return;
  auto copied = io::RemoveTree(env.files, kBackup);  // an older one
  if (copied.ok()) copied = CopyTree(env.files, LogOf(run), kBackup);
  // The disk may be full at the moment: then there is none.
  if (!copied.ok() && copied.error().code != ErrorCode::kExhausted) return run.verdict.Note("backup", copied.error().ToString());
  run.has_backup = copied.ok();
}

void PutBackupInPlace(RunState& run, io::Env env) {
  if (auto put = PutInPlace(env.files, run.scenario.server.data, LogOf(run)); !put.ok()) run.verdict.Note("backup", put.error().ToString());
}

bool RestoreLog(RunState& run, io::Env env) {
  auto open_catalog = [&](const Path&) {
    return Result<std::unique_ptr<io::CatalogStore>>(std::make_unique<ForwardingCatalog>(run.world.catalog("main")));
  };
  auto restored = [&]() -> Result<server::Restored> {
    ASSIGN_OR_RETURN(auto restore, server::Restore::Plan(env, run.scenario.server.data, open_catalog));
    return restore->Run();
  }();
  if (!restored.ok()) {
    if (restored.error().code == ErrorCode::kCancelled) return false;  // the process has crashed while something was unwound
    run.verdict.Note("restore", restored.error().ToString());
    return true;
  }
  if (restored->successor) run.reached.Note(Reach::kRestored);
  return true;
}

void AwaitOrphanSearch(RunState& run, io::Env env) {
  for (int poll = 0; run.verdict.ok(); poll++) {
    auto orphans = CountOrphans(run, env, run.act_began_us - run.scenario.server.tier.orphan_age_us_min);
    if (orphans.ok() && *orphans == 0) return;
    if (!orphans.ok() || poll == kOrphanPolls) {
      const auto why =
          orphans.ok() ? std::to_string(*orphans) + " files that nobody refers to are not removed" : orphans.error().ToString();
      if (!NameDamage(run, "orphans", why)) run.verdict.Note("orphans", why);
      return;
    }
    env.clock.SleepUs(kOrphanPollUs);
  }
}

}  // namespace sluice::sim
