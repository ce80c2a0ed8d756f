// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Results as JSON and as NDJSON.
//
//   JSON     {"columns":[{"name":"id","type":"VARCHAR"}],"rows":[["a",1],["b",null]],"stats":{...}}
//   NDJSON   {"id":"a","n":1}\n{"id":"b","n":null}\n          a repeated name gets _1, _2, ...
//
// HUGEINT, DECIMAL, NaN and Infinity are strings, times RFC 3339 with Z, BLOB base64, maps and structs objects. What fails after
// the first byte ends with an "error" member (JSON) or a last line {"error":{...}} (NDJSON): never a silent cut.

#include <memory>
#include <string>
#include <vector>

#include "base/columns.h"
#include "base/json.h"
#include "base/result.h"
#include "query/column_values.h"
#include "query/sql.h"

namespace sluice::query {

// Each call appends to `out`. Not thread-safe.
class JsonRenderer {
 public:
  // kInvalid: a type that cannot be rendered.
  Result<void> Begin(const ArrowSchema& schema, std::string& out);
  void Append(const Columns& batch, std::string& out);
  void End(const StatementStats& stats, std::string& out);
  // After Begin, instead of End.
  void Fail(const QueryError& error, const StatementStats& stats, std::string& out);

 private:
  std::vector<std::unique_ptr<ColumnRenderer>> columns_;
  bool first_row_ = true;
};

class NdjsonRenderer {
 public:
  Result<void> Begin(const ArrowSchema& schema, std::string& out);
  void Append(const Columns& batch, std::string& out);
  void Fail(const QueryError& error, std::string& out);

 private:
  std::vector<std::unique_ptr<ColumnRenderer>> columns_;
  std::vector<std::string> keys_;  // quoted, with what stands before them and the colon
};

// {"rows":n,"elapsed_ms":1.5,"files_read":..,"files_pruned":..,"bytes_read":..,"bytes_pruned":..,"hot_rows":..,"cold_rows":..,
//  "tables":[{"table":"bronze.events","snapshot_id":n,"next_offsets":{"0":n},"watermark":"..."}]}
Json StatsToJson(const StatementStats& stats);
// {"kind":"syntax","message":..,"position":n,"hint":..}; position and hint only when there are any.
Json ErrorToJson(const QueryError& error);

}  // namespace sluice::query
