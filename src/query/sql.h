// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A SQL statement as the front ends see it: what goes in, what comes out, how it fails.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/columns.h"
#include "base/result.h"
#include "query/read_view.h"

namespace sluice::query {

// Bounds of a request; a front checks them with ValidateRequest.
inline constexpr size_t kSqlBytesMax = size_t{1} << 20;
inline constexpr size_t kSqlParametersMax = 1000;
inline constexpr size_t kSqlParameterBytesMax = size_t{8} << 20;  // of all together
inline constexpr int64_t kTimeoutMsDefault = 30'000;
inline constexpr int64_t kTimeoutMsMax = 3'600'000;

// A JSON scalar: NULL, BOOLEAN, BIGINT, DOUBLE, VARCHAR.
using SqlParameter = std::variant<std::monostate, bool, int64_t, double, std::string>;

struct SqlRequest {
  std::string sql;
  std::vector<SqlParameter> parameters;  // $1 or the first ? is parameters[0]
  int64_t timeout_ms = kTimeoutMsDefault;  // from Submit to the last row, waiting for a worker included
  std::string tenant = "default";
};
// kInvalid, kExhausted: a bound is broken; the message names it.
Result<void> ValidateRequest(const SqlRequest& request);

// Stable names for front ends: QueryErrorName.
enum class QueryErrorKind : uint8_t {
  kSyntax,       // the parser refused it
  kUnknownName,  // a table, column or function that does not exist
  kInvalid,      // types, conversions, division, wrong parameters
  kForbidden,    // a statement or function that is not allowed
  kOutOfMemory,  // beyond the worker's memory or spill space
  kTimeout,
  kCancelled,
  kExhausted,    // no worker became free in time
  kUnavailable,  // the view or a file could not be had; try again
  kWorkerDied,   // the statement killed its worker
  kInternal,     // ours or DuckDB's defect
};
inline constexpr uint8_t kQueryErrorKindCount = 11;
std::string_view QueryErrorName(QueryErrorKind kind);

struct QueryError {
  QueryErrorKind kind = QueryErrorKind::kInternal;
  std::string message;               // one sentence or more, lines apart; no period at the end
  std::optional<uint32_t> position;  // character in the statement, from 1
  std::string hint;                  // "Did you mean ...", may be empty
};

struct TableStats {
  std::string schema, name;
  TableFreshness freshness;
};

struct StatementStats {
  int64_t rows = 0;
  int64_t elapsed_us = 0;
  int64_t files_read = 0, files_pruned = 0;     // of all scans together
  uint64_t bytes_read = 0, bytes_pruned = 0;    // sizes of those files, not what was read inside them
  int64_t chunks_read = 0, chunks_pruned = 0;
  int64_t rows_hot = 0, rows_lake = 0;          // in the files and chunks that were not pruned
  std::vector<TableStats> tables;               // each table once
};

// Where a result goes. All calls come from one thread of the session: OnSchema, OnBatch..., then exactly one of OnDone and
// OnError (which may also come first, alone). OnSchema and OnBatch may block: the worker waits, its memory does not grow.
// An error they return ends the statement as kCancelled.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // A struct type, one child a column. Still owned by the caller; valid during the call.
  virtual Result<void> OnSchema(const ArrowSchema& schema) = 0;
  virtual Result<void> OnBatch(Columns batch) = 0;
  virtual void OnDone(const StatementStats& stats) = 0;
  virtual void OnError(const QueryError& error, const StatementStats& stats) = 0;
};

}  // namespace sluice::query
