// SPDX-License-Identifier: Apache-2.0
#include "query/worker/lake_table.h"

#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <utility>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/function/table/arrow.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "query/worker/duck_types.h"
#include "query/worker/lake_scan.h"

namespace sluice::query {
namespace {

template <class T>
T Ok(arrow::Result<T> result) {
  if (!result.ok()) throw duckdb::IOException(result.status().message());
  return std::move(result).ValueUnsafe();
}

}  // namespace

// The rows of a metadata table, as often as a statement scans them.
class LakeTable::MetadataRows {
 public:
  explicit MetadataRows(const std::string& stream) {
    auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(stream));
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;  // Arrow's own pool would run beside the threads that are counted
    table_ = Ok(Ok(arrow::ipc::RecordBatchStreamReader::Open(input, options))->ToTable());
  }

  // DuckDB's Arrow scan over these rows; fills the types and names of the columns.
  duckdb::unique_ptr<duckdb::FunctionData> Bind(duckdb::ClientContext& client, duckdb::TableFunction& scan, duckdb::vector<duckdb::LogicalType>& types,
                                                duckdb::vector<std::string>& names) {
    duckdb::vector<duckdb::Value> inputs{duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(this)), duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(&Produce)),
                                         duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(&GetSchema))};
    duckdb::named_parameter_map_t named;
    duckdb::vector<duckdb::LogicalType> input_types;
    duckdb::vector<std::string> input_names;
    duckdb::TableFunctionRef reference;
    duckdb::TableFunctionBindInput input(inputs, named, input_types, input_names, nullptr, nullptr, scan, reference);
    return scan.bind(client, input, types, names);
  }
  int64_t rows() const { return table_->num_rows(); }

 private:
  static duckdb::unique_ptr<duckdb::ArrowArrayStreamWrapper> Produce(uintptr_t self, duckdb::ArrowStreamParameters&) {
    auto& table = *reinterpret_cast<MetadataRows*>(self)->table_;
    auto out = duckdb::make_uniq<duckdb::ArrowArrayStreamWrapper>();
    auto reader = std::make_shared<arrow::TableBatchReader>(table);
    auto status = arrow::ExportRecordBatchReader(reader, &out->arrow_array_stream);
    if (!status.ok()) throw duckdb::IOException(status.message());
    return out;
  }
  static void GetSchema(ArrowArrayStream* self, ArrowSchema& to) {
    auto status = arrow::ExportSchema(*reinterpret_cast<MetadataRows*>(self)->table_->schema(), &to);
    if (!status.ok()) throw duckdb::IOException(status.message());
  }
  std::shared_ptr<arrow::Table> table_;
};

LakeTable::LakeTable(LakeContext& context, duckdb::SchemaCatalogEntry& of, duckdb::CreateTableInfo& info, std::shared_ptr<const BoundTable> table,
                     std::shared_ptr<MetadataRows> rows)
    : TableCatalogEntry(of.catalog, of, info), context_(context), table_(std::move(table)), rows_(std::move(rows)) {}

duckdb::unique_ptr<LakeTable> LakeTable::Make(LakeContext& context, duckdb::ClientContext& client, duckdb::SchemaCatalogEntry& of,
                                              const std::string& table_name, BoundTable table) {
  duckdb::CreateTableInfo info;
  info.schema = of.name;
  info.table = table_name;
  std::shared_ptr<MetadataRows> rows;
  if (table.part == TablePart::kSnapshots || table.part == TablePart::kFiles) {
    rows = std::make_shared<MetadataRows>(table.metadata_stream);
    table.metadata_stream.clear();
    duckdb::vector<duckdb::LogicalType> types;
    duckdb::vector<std::string> names;
    auto scan = context.arrow_scan;
    rows->Bind(client, scan, types, names);
    for (size_t i = 0; i < types.size(); i++) info.columns.AddColumn(duckdb::ColumnDefinition(names[i], types[i]));
  } else {
    for (auto& field : table.columns) info.columns.AddColumn(duckdb::ColumnDefinition(field.name, ToDuckType(field.type)));
  }
  return duckdb::unique_ptr<LakeTable>(new LakeTable(context, of, info, std::make_shared<const BoundTable>(std::move(table)), std::move(rows)));
}

duckdb::TableFunction LakeTable::GetScanFunction(duckdb::ClientContext& client, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  if (!rows_) return MakeLakeScan(context_, client, table_, *this, bind_data);
  auto scan = context_.arrow_scan;
  duckdb::vector<duckdb::LogicalType> types;
  duckdb::vector<std::string> names;
  bind_data = rows_->Bind(client, scan, types, names);
  return scan;
}

duckdb::TableStorageInfo LakeTable::GetStorageInfo(duckdb::ClientContext&) {
  duckdb::TableStorageInfo info;
  auto rows = rows_ ? std::optional<int64_t>(rows_->rows()) : table_->rows;
  if (rows) info.cardinality = static_cast<duckdb::idx_t>(*rows);
  return info;
}

duckdb::virtual_column_map_t LakeTable::GetVirtualColumns() const {
  return rows_ ? duckdb::virtual_column_map_t() : VirtualColumnsOf(*table_);
}

}  // namespace sluice::query
