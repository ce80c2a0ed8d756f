// SPDX-License-Identifier: Apache-2.0
#include "cli/check_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/check_report.h"
#include "cli/check_tables.h"
#include "cli/console.h"
#include "cli/serve_command.h"
#include "server/data_directory.h"

namespace sluice::cli {
namespace {

struct CheckContext {
  io::Env env;
  const server::DataDirectory& directory;
};

void CheckCatalog(const CheckContext& context, CheckReport& report) {
  auto store = io::OpenSqliteCatalogStore(context.directory.catalog(), server::kCatalogName);
  if (!store.ok()) return report.findings.push_back("catalog: " + store.error().message);
  iceberg::Catalog catalog(**store, context.env, iceberg::CatalogOptions{io::PathToUri(context.directory.warehouse())});
  CheckTables(context.env, catalog, report);
}

// What is looked at, in this order.
constexpr void (*kChecks[])(const CheckContext&, CheckReport&) = {CheckCatalog};

// The parts that opening a directory would make anew: to a check their absence is a finding.
Result<void> CheckParts(io::FileSystem& files, const Path& path) {
  for (auto* part : {"directory.json", "log", "catalog.db", "warehouse"}) {
    ASSIGN_OR_RETURN(const bool found, io::Exists(files, path + "/" + part));
    if (!found) return Error{ErrorCode::kNotFound, "\"" + path + "\" has no " + part, "is it a data directory of sluice?"};
  }
  return {};
}

}  // namespace

void CheckAction::Define(CLI::App& app) { app.add_option("DIR", directory_, "Data directory; no server may be using it")->required(); }

int CheckAction::Run() {
  io::RealWorld world(io::LogLevel::kError);
  io::Env env = world.env();
  const Path path = CanonicalDirectory(directory_);
  if (auto parts = CheckParts(env.files, path); !parts.ok()) return Fail(parts.error()), kExitFailed;
  auto directory = server::DataDirectory::Open(env, path);
  if (!directory.ok()) return Fail(directory.error()), kExitFailed;
  CheckReport report;
  report.passed.push_back("directory: at its place, format " + std::to_string(server::kDirectoryFormatVersion));
  for (auto* check : kChecks) check({env, **directory}, report);
  for (auto& line : report.passed) std::printf("ok       %s\n", line.c_str());
  for (auto& line : report.findings) std::printf("damaged  %s\n", line.c_str());
  if (report.findings.empty()) return std::printf("Nothing is wrong.\n"), kExitOk;
  std::printf("%s. Keep the directory as it is, and restore what is damaged from a backup.\n", Counted(static_cast<int64_t>(report.findings.size()), "finding").c_str());
  return kExitFailed;
}

}  // namespace sluice::cli
