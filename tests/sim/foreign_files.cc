// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign_files.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/json/from_string.h>

#include "base/check.h"
#include "iceberg/data_file_columns.h"
#include "iceberg/data_file_writer.h"

namespace sluice::sim {
namespace {

Columns ColumnsOf(const iceberg::TableSchema& schema, const std::vector<std::string>& columns) {
  ::arrow::FieldVector fields;
  ::arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns.size(); i++) {
    const auto& field = schema.fields[i];
    const auto type = field.type.id == iceberg::TypeId::kLong ? ::arrow::int64() : ::arrow::utf8();
    const auto id = ::arrow::key_value_metadata({std::string(iceberg::kFieldIdMetadataKey)}, {std::to_string(field.id)});
    fields.push_back(::arrow::field(field.name, type, !field.required, id));
    auto array = ::arrow::json::ArrayFromJSONString(type, columns[i]);
    CHECK(array.ok(), "values of another engine that are no JSON");
    arrays.push_back(*array);
  }
  ArrowSchema out_schema{};
  ArrowArray out{};
  const auto batch = ::arrow::RecordBatch::Make(::arrow::schema(fields), arrays.front()->length(), arrays);
  CHECK(::arrow::ExportRecordBatch(*batch, &out, &out_schema).ok(), "rows that cannot be handed over");
  return {out_schema, out};
}

}  // namespace

Result<iceberg::DataFile> WriteForeignFile(io::ObjectStore& objects, const std::string& uri, const iceberg::TableSchema& schema,
                                           const std::vector<std::string>& columns, const iceberg::DataFileOptions& options) {
  ASSIGN_OR_RETURN(auto writer, iceberg::DataFileWriter::Open(objects, uri, schema, options));
  RETURN_IF_ERROR(writer->Write(ColumnsOf(schema, columns)));
  ASSIGN_OR_RETURN(auto written, writer->Finish());
  return std::move(written.file);
}

}  // namespace sluice::sim
