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

// Not thread-safe. References must outlive it.
class SqlRunner {
 public:
  SqlRunner(HttpClient& client, Console& out, TimeZone zone, SqlRunnerOptions options) : client_(client), out_(out), zone_(std::move(zone)), options_(options) {}
  SqlOutcome Run(const std::string& sql);
  SqlRunnerOptions& options() { return options_; }

 private:
  SqlOutcome Ended(const Result<HttpAnswer>& answer, const std::string& sql);
  SqlOutcome PrintTable(const std::string& body, const std::string& sql);

  HttpClient& client_;
  Console& out_;
  const TimeZone zone_;
  SqlRunnerOptions options_;
};

// Columns and rows of an answer of /v1/sql, as text.
struct SqlTable {
  std::vector<TextColumn> columns;
  std::vector<TextRow> rows;
};
// kCorruption: not what /v1/sql answers.
Result<SqlTable> ToSqlTable(const Json& answer, const TimeZone& zone);

// The line of `sql` that holds character `position` (from 1), and a caret below it; empty when it is outside.
std::string PositionText(std::string_view sql, int64_t position);

// What an NDJSON answer ended with, if that says that it broke off; else null.
Json NdjsonFailure(std::string_view last_line);

}  // namespace sluice::cli
