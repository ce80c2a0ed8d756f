// SPDX-License-Identifier: Apache-2.0
#include "table/table_rows.h"

#include <iterator>

#include "base/check.h"
#include "iceberg/data_file_reader.h"
#include "iceberg/scan_plan.h"
#include "table/event_columns.h"
#include "table/event_schema.h"

namespace sluice::table {
namespace {

// In this order.
constexpr int32_t kFieldIds[] = {1 + static_cast<int32_t>(EventColumn::kTenant), 1 + static_cast<int32_t>(EventColumn::kSource),
                                 1 + static_cast<int32_t>(EventColumn::kId), 1 + static_cast<int32_t>(EventColumn::kLogPartition),
                                 1 + static_cast<int32_t>(EventColumn::kLogOffset), 1 + static_cast<int32_t>(EventColumn::kIngestedAt)};
constexpr int kOffsetField = 4;
// What the reader makes of their types. Source: https://arrow.apache.org/docs/format/CDataInterface.html
constexpr std::string_view kFormats[] = {"u", "u", "u", "i", "l", "tsu:UTC"};

iceberg::TableSchema WantedSchema() {
  const auto all = EventTableSchema();
  iceberg::TableSchema out;
  for (auto id : kFieldIds) out.fields.push_back(*all.FindById(id));
  return out;
}

template <class T>
T NumberAt(const ArrowArray& column, int64_t row) {
  return static_cast<const T*>(column.buffers[1])[column.offset + row];
}

std::string_view TextAt(const ArrowArray& column, int64_t row) {
  const auto* ends = static_cast<const int32_t*>(column.buffers[1]) + column.offset + row;
  return {static_cast<const char*>(column.buffers[2]) + ends[0], static_cast<size_t>(ends[1] - ends[0])};
}

Result<void> VisitColumns(const Columns& columns, const log::SuccessorTables::Visit& visit) {
  auto at = [&](size_t i) -> const ArrowArray& { return *columns.array().children[i]; };
  for (size_t i = 0; i < std::size(kFormats); i++) CHECK(columns.schema().children[i]->format == kFormats[i], "a column of another type");
  CHECK(columns.array().offset == 0, "columns that were cut");
  for (int64_t row = 0; row < columns.rows(); row++) {
    RETURN_IF_ERROR(visit({TextAt(at(0), row), TextAt(at(1), row), TextAt(at(2), row), log::LogPartition(NumberAt<int32_t>(at(3), row)),
                           log::Offset(NumberAt<int64_t>(at(4), row)), Timestamp{NumberAt<int64_t>(at(5), row)}}));
  }
  return {};
}

Result<void> VisitFile(io::Env env, const std::string& uri, const log::SuccessorTables::Visit& visit) {
  ASSIGN_OR_RETURN(auto object, env.objects.Open(uri));
  ASSIGN_OR_RETURN(auto reader, iceberg::DataFileReader::Open(std::move(object), WantedSchema()));
  for (int group = 0; group < reader->row_groups(); group++) {
    ASSIGN_OR_RETURN(auto columns, reader->ReadRowGroup(group));
    RETURN_IF_ERROR(VisitColumns(columns, visit));
  }
  return {};
}

}  // namespace

Result<void> VisitTableRows(io::Env env, const iceberg::TableMetadata& metadata, log::Offset from, const log::SuccessorTables::Visit& visit) {
  const auto* snapshot = metadata.current_snapshot();
  if (snapshot == nullptr) return {};
  const std::vector<iceberg::ColumnFilter> filters{{kFieldIds[kOffsetField], iceberg::FilterOp::kGreaterEqual, {iceberg::Value(from.get())}}};
  ASSIGN_OR_RETURN(auto scan, iceberg::PlanScan(env.objects, metadata, *snapshot, filters, nullptr));
  for (auto& file : scan.files) {
    auto visited = VisitFile(env, file.file->path, visit);
    if (!visited.ok()) return visited.error().While("reading " + file.file->path);
  }
  return {};
}

}  // namespace sluice::table
