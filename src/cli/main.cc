// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/console.h"
#include "query/worker/worker_main.h"

int main(int argc, char** argv) {
  // What the server starts for SQL: this very binary again, in a sandbox. Not for people, so not in the table of commands.
  if (argc > 1 && std::string(argv[1]) == "worker") return sluice::query::WorkerMain(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is an error of the write: the command ends, quietly, by itself
  const int code = sluice::cli::RunCommand(std::vector<std::string>(argv + 1, argv + argc));
  const auto written = sluice::cli::Console(stdout).Finish();
  return written.ok() || code != sluice::cli::kExitOk ? code : sluice::cli::Fail(written.error());
}
