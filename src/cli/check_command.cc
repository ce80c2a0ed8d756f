// SPDX-License-Identifier: Apache-2.0
#include "cli/check_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/check_report.h"
#include "cli/check_tables.h"
#include "cli/console.h"
#include "cli/serve_command.h"
#include "iceberg/catalog.h"
#include "log/check.h"
#include "server/data_directory.h"

namespace sluice::cli {
namespace {

struct CheckContext {
  io::Env env;
  const server::DataDirectory& directory;
  log::LogCheck log;
  std::unique_ptr<io::CatalogStore> store;
  std::unique_ptr<iceberg::Catalog> catalog;  // null: cannot be opened
  bool all_orphans = false;
};

void CheckJournal(CheckContext& context, CheckReport& report) {
  context.log = log::CheckLog(context.env, context.directory.log());
  for (auto& line : context.log.passed) report.passed.push_back(line);
  for (auto& line : context.log.findings) report.findings.push_back("log: " + line);
}

void CheckCatalog(CheckContext& context, CheckReport& report) {
  // An empty file is a new database to SQLite: opening it would make the catalog's tables in it.
  if (auto file = context.env.files.Stat(context.directory.catalog()); file.ok() && file->size == 0)
    return report.findings.push_back("catalog: \"" + context.directory.catalog() + "\" is empty");
  auto store = io::OpenSqliteCatalogStore(context.directory.catalog(), server::kCatalogName);
  if (!store.ok()) return report.findings.push_back("catalog: " + store.error().message);
  context.store = std::move(*store);
  context.catalog = std::make_unique<iceberg::Catalog>(*context.store, context.env,
                                                       iceberg::CatalogOptions{io::PathToUri(context.directory.warehouse())});
  CheckTables(context.env, *context.catalog, report);
  CheckOrphans(context.env, *context.catalog, context.all_orphans, report);
}

void CheckFeeds(CheckContext& context, CheckReport& report) {
  if (context.catalog != nullptr) CheckTablesAgainstLog(*context.catalog, context.log, report);
}

// What is looked at, in this order.
constexpr void (*kChecks[])(CheckContext&, CheckReport&) = {CheckJournal, CheckCatalog, CheckFeeds};

// The parts that opening a directory would make anew: to a check their absence is a finding.
Result<void> CheckParts(io::FileSystem& files, const Path& path) {
  for (auto* part : {"directory.json", "log", "catalog.db", "warehouse"}) {
    ASSIGN_OR_RETURN(const bool found, io::Exists(files, path + "/" + part));
    if (!found) return Error{ErrorCode::kNotFound, "\"" + path + "\" has no " + part, "is it a data directory of sluice?"};
  }
  return {};
}

}  // namespace

void CheckAction::Define(CLI::App& app) {
  app.add_option("DIR", directory_, "Data directory; no server may be using it")->required();
  app.add_flag("--orphans", all_orphans_, "Name all files that nobody refers to, not only the first few");
}

int CheckAction::Run() {
  io::RealWorld world(io::LogLevel::kError);
  io::Env env = world.env();
  const Path path = CanonicalDirectory(directory_);
  if (auto parts = CheckParts(env.files, path); !parts.ok()) return Fail(parts.error()), kExitFailed;
  auto directory = server::DataDirectory::Open(env, path);
  if (!directory.ok()) return Fail(directory.error()), kExitFailed;
  CheckReport report;
  report.passed.push_back("directory: at its place, format " + std::to_string(server::kDirectoryFormatVersion));
  CheckContext context{env, **directory, {}, nullptr, nullptr, all_orphans_};
  for (auto* check : kChecks) check(context, report);
  for (auto& line : report.passed) std::printf("ok       %s\n", line.c_str());
  for (auto& line : report.notes) std::printf("note     %s\n", line.c_str());
  for (auto& line : report.findings) std::printf("damaged  %s\n", line.c_str());
  if (report.findings.empty()) return std::printf("Nothing is wrong.\n"), kExitOk;
  std::printf("%s. Keep the directory as it is, and restore what is damaged from a backup.\n",
              Counted(static_cast<int64_t>(report.findings.size()), "finding").c_str());
  return kExitFailed;
}

}  // namespace sluice::cli
