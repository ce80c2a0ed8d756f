// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One statement at a time to the server's /v1/sql, its rows to stdout.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "cli/console.h"
#include "cli/http_client.h"
#include "cli/text_table.h"
#include "cli/time_zone.h"

namespace sluice::cli {

enum class SqlFormat : uint8_t { kTable, kJson, kNdjson, kCsv };

struct SqlRunnerOptions {
  SqlFormat format = SqlFormat::kTable;
  int64_t timeout_ms = 0;  // 0: the server's
  bool timing = false;     // say how long it took, and what was read
  bool expanded = false;   // a block a row
};

enum class SqlOutcome : uint8_t {
  kDone,
  kFailed,     // said on stderr
  kCancelled,  // Ctrl-C or SIGTERM; HttpClient::signal tells
  kClosed,     // nobody reads stdout any more: end, with success
};

// Columns and rows of an answer of /v1/sql, as text.
struct SqlTable {
  std::vector<TextColumn> columns;
  std::vector<TextRow> rows;
};
// kCorruption: not what /v1/sql answers.
Result<SqlTable> ToSqlTable(const Json& answer, const TimeZone& zone);

// Not thread-safe. References must outlive it.
class SqlRunner {
 public:
  SqlRunner(HttpClient& client, Console& out, TimeZone zone, SqlRunnerOptions options)
      : client_(client), out_(out), zone_(std::move(zone)), options_(options) {}
  // `first_line`: of `sql` in what was typed or read, for messages.
  SqlOutcome Run(const std::string& sql, int64_t first_line = 1);
  SqlRunnerOptions& options() { return options_; }

 private:
  struct Statement {
    const std::string& text;
    int64_t first_line;
  };
  SqlOutcome Ended(const Result<HttpAnswer>& answer, const Statement& statement);
  SqlOutcome PrintTable(const std::string& body, const Statement& statement);
  SqlOutcome Print(std::string_view text);
  // What it means that nothing more can be written.
  SqlOutcome Closed();
  std::string Footer(const SqlTable& table, size_t columns_hidden, bool cells_are_cut, const Json& stats) const;

  HttpClient& client_;
  Console& out_;
  const TimeZone zone_;
  SqlRunnerOptions options_;
};

// The line of `sql` that holds character `position` (from 1), and a caret below it; empty when it is outside. Lines count from
// `first_line`.
std::string PositionText(std::string_view sql, int64_t position, int64_t first_line = 1);

// What an NDJSON answer ended with, if that says that it broke off; else null.
Json NdjsonFailure(std::string_view last_line);

}  // namespace sluice::cli
