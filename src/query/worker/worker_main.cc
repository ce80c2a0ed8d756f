// SPDX-License-Identifier: Apache-2.0
//
// A SQL worker: one DuckDB, one statement at a time, no paths, no sockets, no credentials.
//
//   start   open DuckDB ▶ attach the lake ▶ drop functions ▶ lock settings ▶ warm up ▶ enter the sandbox ▶ kReady
//   then    kQuery ▶ parse, check ▶ plan (kBind) ▶ run (kScan, kOpen) ▶ kResult... ▶ kDone
//
// The worker is the one place that calls the kernel itself instead of through io/: most of what io/ does is forbidden here.
#include "query/worker/worker_main.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/worker/fd_file_system.h"
#include "query/worker/function_policy.h"
#include "query/worker/lake_catalog.h"
#include "query/worker/lake_context.h"
#include "query/worker/sandbox.h"
#include "query/worker/statement_runner.h"
#include "query/worker/utc_functions.h"
#include "query/worker_options.h"

namespace sluice::query {
namespace {

constexpr int kServerDescriptor = 3;
constexpr int kDescriptorTableSize = 4096;

// While there is one thread: growing the descriptor table later waits 25-55 ms in the kernel.
void PrepareProcess() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  int last = static_cast<int>(std::min<rlim_t>(files.rlim_cur, kDescriptorTableSize)) - 1;
  if (int high = fcntl(kServerDescriptor, F_DUPFD, last); high >= 0) close(high);
}

std::unique_ptr<duckdb::DBConfig> MakeConfig(const WorkerOptions& options) {
  auto config = std::make_unique<duckdb::DBConfig>();
  config->options.maximum_threads = options.threads;
  config->SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
  config->SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
  config->SetOptionByName("allow_community_extensions", duckdb::Value::BOOLEAN(false));
  config->SetOptionByName("memory_limit", duckdb::Value(std::to_string(options.memory_mb) + "MiB"));
  config->SetOptionByName("enable_external_file_cache", duckdb::Value::BOOLEAN(false));  // the page cache has it already
  config->SetOptionByName("temp_directory", duckdb::Value(""));
  return config;
}

void Run(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) result->ThrowError();
}

void LockSettings(duckdb::Connection& connection, const LakeContext& context, const WorkerOptions& options) {
  Run(connection, "SET TimeZone='UTC'");
  Run(connection, "SET parquet_metadata_cache=true");  // a file's number never stands for other bytes
  Run(connection, "SET allowed_directories=['" + context.FileDirectory() + "', '" + context.SpillDirectory() + "/']");
  if (options.spill_files > 0) {
    Run(connection, "SET temp_directory='" + context.SpillDirectory() + "'");
    Run(connection, "SET max_temp_directory_size='" + std::to_string(options.spill_files * options.spill_mb) + "MiB'");
  }
  Run(connection, "SET streaming_buffer_size='1MB'");
  Run(connection, "SET errors_as_json=true");
  Run(connection, "SET enable_external_access=false");
  Run(connection, "SET lock_configuration=true");
}

std::vector<OwnedDescriptor> TakeSpillFiles(size_t count) {
  std::vector<OwnedDescriptor> files;
  for (size_t i = 0; i < count; i++) files.emplace_back(kServerDescriptor + 1 + static_cast<int>(i));
  return files;
}

int Serve(const WorkerOptions& options) {
  PrepareProcess();
  ServerChannel server(kServerDescriptor);
  LakeContext context(server, options.nonce);
  auto config = MakeConfig(options);
  RegisterLake(*config, context);
  const auto database = OpenInUtc(*config);
  duckdb::Connection connection(*database);
  auto file_system = duckdb::make_uniq<FdFileSystem>(context, TakeSpillFiles(options.spill_files));
  auto& files = *file_system;
  database->GetFileSystem().RegisterSubSystem(std::move(file_system));
  AttachLake(connection, context);
  LockSettings(connection, context, options);
  DropForbiddenFunctions(connection);
  Run(connection, "SELECT now()::DATE, regexp_matches('a', 'b'), json_extract('{}', '$.a')");  // lazy parts that still need open()
  SandboxOptions limits{options.data_mb << 20, options.spill_mb << 20, options.trap};
  if (auto entered = EnterSandbox(limits); !entered.ok()) {
    fprintf(stderr, "worker: %s\n", entered.error().ToString().c_str());
    return 1;
  }
  server.OnCancel([client = connection.context.get()] { client->Interrupt(); });
  server.SendReady();
  StatementRunner runner(context, files, connection);
  for (;;) {
    auto query = server.NextQuery();
    if (!query.ok()) return 1;
    if (!*query) {
      context.chunks.Trim(0);
    } else {
      runner.Run(**query);
    }
  }
}

}  // namespace

int WorkerMain(int argc, char** argv) {
  auto options = ParseWorkerOptions({argv + std::min(argc, 1), argv + argc});
  if (!options.ok()) {
    fprintf(stderr, "worker: %s\n", options.error().ToString().c_str());
    return 2;
  }
  try {
    return Serve(*options);
  } catch (std::exception& e) {
    fprintf(stderr, "worker: %s\n", e.what());
    return 1;
  }
}

}  // namespace sluice::query
