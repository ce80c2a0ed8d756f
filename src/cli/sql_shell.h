// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The interactive shell of `sluice sql`: statements until ';', and a few commands that begin with '\'.

#include <string>

#include "cli/http_client.h"
#include "cli/line_editor.h"
#include "cli/sql_runner.h"

namespace sluice::cli {

// Not thread-safe. References must outlive it.
class SqlShell {
 public:
  SqlShell(HttpClient& client, Console& out, SqlRunner& runner, LineEditor& editor) : client_(client), out_(out), runner_(runner), editor_(editor) {}
  // Until \q, Ctrl-D or SIGTERM. Returns the exit code.
  int Run();

 private:
  bool RunLine(const std::string& line);
  bool RunStatements();
  bool RunCommand(const std::string& line);
  void PrintTables();

  HttpClient& client_;
  Console& out_;
  SqlRunner& runner_;
  LineEditor& editor_;
  std::string pending_;  // what was typed and has no ';' yet
};

}  // namespace sluice::cli
