// SPDX-License-Identifier: Apache-2.0
#include "query/worker/hot_reader.h"

#include <algorithm>
#include <utility>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "duckdb/storage/table/column_segment.hpp"
#include "query/worker/duck_types.h"
#include "query/worker/hot_columns_to_vectors.h"
#include "table/event_columns.h"

namespace sluice::query {
namespace {

using duckdb::idx_t;

duckdb::LogicalType ToDuckType(table::ColumnType type) {
  using duckdb::LogicalType;
  switch (type) {
    case table::ColumnType::kString: return LogicalType::VARCHAR;
    case table::ColumnType::kTimestamp: return LogicalType::TIMESTAMP_TZ;
    case table::ColumnType::kBinary: return LogicalType::BLOB;
    case table::ColumnType::kStringMap: return LogicalType::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR);
    case table::ColumnType::kInt: return LogicalType::INTEGER;
    case table::ColumnType::kBoolean: return LogicalType::BOOLEAN;
    case table::ColumnType::kLong: return LogicalType::BIGINT;
  }
  throw duckdb::InternalException("a hot column type without a mapping");
}

}  // namespace

// One thread's place in the chunk.
struct HotReader::Cursor {
  uint32_t row = 0, end = 0;
  std::map<idx_t, duckdb::unique_ptr<duckdb::TableFilterState>> filter_states;
};

HotReader::HotReader(duckdb::OpenFileInfo info, std::shared_ptr<const MappedChunk> chunk, uint32_t begin, uint32_t end)
    : BaseFileReader(std::move(info)), chunk_(std::move(chunk)), next_(begin), end_(end) {
  for (auto& spec : table::EventColumns()) {
    // A column that no row uses is like one that an older file lacks: DuckDB takes its default and filters on that.
    if (!chunk_->reader().has(spec.column) && spec.column != table::EventColumn::kSpecVersion) continue;
    duckdb::MultiFileColumnDefinition column(std::string(spec.name), ToDuckType(spec.type));
    column.identifier = duckdb::Value::INTEGER(spec.field_id());
    columns.push_back(std::move(column));
    event_columns_.push_back(spec.column);
  }
}

HotReader::~HotReader() = default;

bool HotReader::TryInitializeScan(duckdb::ClientContext&, duckdb::GlobalTableFunctionState&, duckdb::LocalTableFunctionState& local) {
  if (next_ == end_) return false;  // under the scan's lock
  auto& cursor = CursorOf(local);
  cursor.row = next_;
  cursor.end = next_ = std::min(next_ + kMorselRows, end_);
  return true;
}

duckdb::AsyncResult HotReader::Scan(duckdb::ClientContext& context, duckdb::GlobalTableFunctionState&, duckdb::LocalTableFunctionState& local,
                                    duckdb::DataChunk& out) {
  auto& cursor = CursorOf(local);
  while (cursor.row < cursor.end) {
    auto count = std::min<idx_t>(STANDARD_VECTOR_SIZE, cursor.end - cursor.row);
    auto begin = std::exchange(cursor.row, cursor.row + static_cast<uint32_t>(count));
    if (Emit(context, cursor, begin, count, out) > 0) return duckdb::AsyncResult(duckdb::SourceResultType::HAVE_MORE_OUTPUT);
    out.Reset();  // and stay here: an empty chunk costs a trip through the pipeline
  }
  return duckdb::AsyncResult(duckdb::SourceResultType::FINISHED);
}

HotReader::Cursor& HotReader::CursorOf(duckdb::LocalTableFunctionState& local) {
  std::lock_guard lock(mutex_);
  return cursors_[&local];  // nodes of a map do not move
}

idx_t HotReader::Emit(duckdb::ClientContext& context, Cursor& cursor, uint32_t begin, idx_t count, duckdb::DataChunk& out) {
  duckdb::SelectionVector kept_rows;  // all rows, until a filter writes it
  idx_t kept = count;
  std::vector<bool> filled(column_ids.size());
  if (filters) {
    // Columns with filters first, then the others only for rows that passed.
    for (auto& [index, filter] : filters->filters) {
      Fill(context, index, begin, count, nullptr, count, out.data[index]);
      filled[index] = true;
      auto& state = cursor.filter_states[index];
      if (!state) state = duckdb::TableFilterState::Initialize(context, *filter);
      duckdb::UnifiedVectorFormat data;
      out.data[index].ToUnifiedFormat(count, data);
      duckdb::ColumnSegment::FilterSelection(kept_rows, out.data[index], data, *filter, *state, count, kept);
      if (kept == 0) return 0;
    }
  }
  for (idx_t i = 0; i < column_ids.size(); i++)
    if (!filled[i]) Fill(context, i, begin, count, kept == count ? nullptr : &kept_rows, kept, out.data[i]);
  if (kept != count) {
    out.Slice(kept_rows, kept);
  } else {
    out.SetCardinality(count);
  }
  return kept;
}

void HotReader::Fill(duckdb::ClientContext& context, idx_t index, uint32_t begin, idx_t count, const duckdb::SelectionVector* wanted, idx_t wanted_count,
                     duckdb::Vector& to) {
  auto local = column_ids[duckdb::MultiFileLocalIndex(index)].GetId();
  auto& spec = table::EventColumns()[static_cast<size_t>(event_columns_[local])];
  auto cast = expression_map.find(local);
  if (cast == expression_map.end()) return FillFromChunk(chunk_, spec, begin, count, wanted, wanted_count, to);
  // The table's column was widened since, and a filter compares in the new type: what DuckDB asks for is the cast value.
  duckdb::DataChunk narrow;
  narrow.Initialize(context, {columns[local].type});
  FillFromChunk(chunk_, spec, begin, count, nullptr, count, narrow.data[0]);
  narrow.SetCardinality(count);
  duckdb::ExpressionExecutor(context, *cast->second).ExecuteExpression(narrow, to);
}

}  // namespace sluice::query
