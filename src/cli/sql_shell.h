// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The interactive shell of `sluice sql`: statements until ';', and a few commands that begin with '\'.

#include <string>

#include "cli/http_client.h"
#include "cli/line_editor.h"
#include "cli/sql_runner.h"

namespace sluice::cli {

// The statement behind \d: lists the columns of `relation`, which stands in its first line. `table`: what the server tells of
// the table of that name; null where there is none, as for bronze.events__files.
std::string DescribeStatement(const std::string& relation, const Json& table);

// Not thread-safe. References must outlive it.
class SqlShell {
 public:
  SqlShell(HttpClient& client, Console& out, SqlRunner& runner, LineEditor& editor)
      : client_(client), out_(out), runner_(runner), editor_(editor) {}
  // Until \q, Ctrl-D or SIGTERM. Returns the exit code.
  int Run();

 private:
  bool RunLine(const std::string& line);
  bool RunStatements();
  bool RunCommand(const std::string& line);
  void PrintTables();
  SqlOutcome PrintColumns(const std::string& relation);

  HttpClient& client_;
  Console& out_;
  SqlRunner& runner_;
  LineEditor& editor_;
  std::string pending_;  // what was typed and has no ';' yet
};

}  // namespace sluice::cli
