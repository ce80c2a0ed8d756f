// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The reference reader: all rows of a table out of a read view, hot chunks and data files, without a SQL engine.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/env.h"
#include "query/read_view.h"
#include "sim/event_spec.h"

namespace sluice::sim {

using Rows = std::shared_ptr<const std::vector<Row>>;

struct TableRows {
  std::vector<Rows> lake;  // in the order of the view's files
  std::vector<Row> hot;    // oldest first
  int hot_files = 0;       // chunks of them that were in files
};

// Data files as they were decoded: views show the same ones again and again, and decoding takes most of a run's time. Each is read
// anew from the store; only bytes that are the same to the last one are not decoded again.
class DataFiles {
 public:
  // Errors: of the store, and what a damaged file says.
  Result<Rows> Read(io::Env env, const std::string& uri);

 private:
  struct Decoded {
    std::string bytes;
    Rows rows;
  };
  std::map<std::string, Decoded> decoded_;
};

// Errors: as DataFiles::Read.
Result<TableRows> ReadRows(io::Env env, const query::ViewTable& table, DataFiles& files);

}  // namespace sluice::sim
