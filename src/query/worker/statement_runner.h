// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One statement: parse, check, bind parameters, run, send its rows as an Arrow IPC stream, say how it ended.

#include "duckdb.hpp"
#include "query/worker/fd_file_system.h"
#include "query/worker/lake_context.h"

namespace sluice::query {

// Not thread-safe. All must outlive it.
class StatementRunner {
 public:
  StatementRunner(LakeContext& context, FdFileSystem& files, duckdb::Connection& connection) : context_(context), files_(files), connection_(connection) {}
  // Runs to the end and sends kDone. No exception leaves it.
  void Run(const QueryMessage& query);

 private:
  duckdb::unique_ptr<duckdb::QueryResult> Execute(const QueryMessage& query);
  int64_t SendRows(duckdb::QueryResult& result);
  DoneMessage RunToDone(const QueryMessage& query);

  LakeContext& context_;
  FdFileSystem& files_;
  duckdb::Connection& connection_;
  long peak_kb_ = kPeakKbFirst;
  static constexpr long kPeakKbFirst = 100 << 10;
};

}  // namespace sluice::query
