// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Results as CSV (RFC 4180 with LF): a header line, then rows. NULL is nothing, the empty string is "". Values as in JSON; lists,
// structs and maps as their JSON text. A failure after the first byte has no place here: the front breaks the stream.

#include <memory>
#include <string>
#include <vector>

#include "base/columns.h"
#include "base/result.h"
#include "query/column_values.h"

namespace sluice::query {

// Each call appends to `out`. Not thread-safe.
class CsvRenderer {
 public:
  // kInvalid: a type that cannot be rendered.
  Result<void> Begin(const ArrowSchema& schema, std::string& out);
  void Append(const Columns& batch, std::string& out);

 private:
  std::vector<std::unique_ptr<ColumnRenderer>> columns_;
};

}  // namespace sluice::query
