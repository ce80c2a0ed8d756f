// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One hot chunk, read as if it were one file of the scan. Strings are not copied: DuckDB's string_t points into the mapping.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "duckdb/common/multi_file/base_file_reader.hpp"
#include "query/worker/lake_context.h"

namespace sluice::query {

// Many threads scan one chunk, a morsel at a time.
class HotReader : public duckdb::BaseFileReader {
 public:
  HotReader(duckdb::OpenFileInfo info, std::shared_ptr<const MappedChunk> chunk, uint32_t begin, uint32_t end);
  ~HotReader() override;

  bool TryInitializeScan(duckdb::ClientContext&, duckdb::GlobalTableFunctionState&, duckdb::LocalTableFunctionState& local) override;
  duckdb::AsyncResult Scan(duckdb::ClientContext& context, duckdb::GlobalTableFunctionState&, duckdb::LocalTableFunctionState& local,
                           duckdb::DataChunk& out) override;
  std::string GetReaderType() const override { return "Hot"; }

 private:
  static constexpr uint32_t kMorselRows = 8 * STANDARD_VECTOR_SIZE;
  struct Cursor;

  Cursor& CursorOf(duckdb::LocalTableFunctionState& local);
  // Rows [begin, begin + count) that pass the filters go to `out`; returns how many.
  duckdb::idx_t Emit(duckdb::ClientContext& context, Cursor& cursor, uint32_t begin, duckdb::idx_t count, duckdb::DataChunk& out);
  // Column `index` of the projection. With `wanted`, only those of the rows need to be right.
  void Fill(duckdb::ClientContext& context, duckdb::idx_t index, uint32_t begin, duckdb::idx_t count, const duckdb::SelectionVector* wanted,
            duckdb::idx_t wanted_count, duckdb::Vector& to);

  const std::shared_ptr<const MappedChunk> chunk_;
  std::vector<table::EventColumn> event_columns_;  // beside `columns`
  uint32_t next_;
  const uint32_t end_;
  // The local state that DuckDB hands around is the Parquet reader's (one kind for all files): ours stands beside it, by its address.
  std::mutex mutex_;
  std::map<duckdb::LocalTableFunctionState*, Cursor> cursors_;
};

}  // namespace sluice::query
