// SPDX-License-Identifier: Apache-2.0
#include "cli/restore_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/console.h"
#include "cli/serve_command.h"
#include "server/data_directory.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kIdentityBytesMax = 64 << 10;

// kInvalid: it was made elsewhere, and its tables hold that path.
Result<void> CheckPlace(io::Env env, const Path& path) {
  ASSIGN_OR_RETURN(const bool known, io::Exists(env.files, path + "/directory.json"));
  if (!known) return Error{ErrorCode::kNotFound, "\"" + path + "\" is no data directory: it has no directory.json", "name the directory with --data"};
  ASSIGN_OR_RETURN(auto text, io::ReadFile(env.files, path + "/directory.json", kIdentityBytesMax));
  ASSIGN_OR_RETURN(auto identity, Json::Parse(text));
  if (const auto& made_at = identity["path"].AsString(); made_at != path)
    return Error{ErrorCode::kConflict, "\"" + path + "\" was made at \"" + made_at + "\" and its tables hold absolute paths", "restore the backup to \"" + made_at + "\""};
  return {};
}

bool Confirm() {
  std::printf("Go on? [y/N] ");
  std::fflush(stdout);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

}  // namespace

void RestoreAction::Define(CLI::App& app) {
  app.footer("A copied directory is refused by `sluice serve`: two that write to one catalog would part. This says that the copy is the one.");
  app.add_option("--data", data_, "Data directory (default ./sluice-data)")->type_name("DIR");
  app.add_flag("--yes", yes_, "Do not ask");
}

int RestoreAction::Run() {
  io::RealWorld world(io::LogLevel::kWarn);
  const Path path = CanonicalDirectory(data_);
  if (auto placed = CheckPlace(world.env(), path); !placed.ok()) return Fail(placed.error()), kExitFailed;
  std::printf("%s becomes the data directory that `sluice serve` accepts at this path.\n", path.c_str());
  std::printf("Do this only when the original is gone for good. Events that it acknowledged after the backup are not in here.\n");
  std::printf("A table that is ahead of the restored log stays paused until `sluice table resume NAME`.\n");
  if (!yes_ && !StdinIsTerminal()) return Fail({ErrorCode::kInvalid, "nobody is there to be asked", "say --yes"});
  if (!yes_ && !Confirm()) return std::printf("Nothing was changed.\n"), kExitFailed;
  if (auto adopted = server::DataDirectory::Adopt(world.env(), path); !adopted.ok()) return Fail(adopted.error()), kExitFailed;
  std::printf("Done. Now: sluice serve --data %s\n", path.c_str());
  return kExitOk;
}

}  // namespace sluice::cli
