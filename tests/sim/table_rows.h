// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The reference reader: all rows of a table out of a read view, hot chunks and data files, without a SQL engine.

#include <string>
#include <vector>

#include "base/result.h"
#include "io/env.h"
#include "query/read_view.h"
#include "sim/event_spec.h"

namespace sluice::sim {

struct TableRows {
  std::vector<Row> lake;  // in the order of the view's files
  std::vector<Row> hot;   // oldest first
  int hot_files = 0;      // chunks of them that were in files
};

// Errors: of the store, and what a damaged file says.
Result<TableRows> ReadRows(io::Env env, const query::ViewTable& table);

// The rows of one data file.
Result<std::vector<Row>> ReadDataFile(io::Env env, const std::string& uri);

}  // namespace sluice::sim
