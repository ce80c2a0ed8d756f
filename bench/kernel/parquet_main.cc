// SPDX-License-Identifier: Apache-2.0
//
// sluice_parquet: rows of the event table, in memory, become one data file, on one core, with the options of the event table. The rows are
// read from a Parquet file first, so that others can write the very same. Prints one JSON object.

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "iceberg/data_file_writer.h"
#include "iceberg/internal/arrow_types.h"
#include "io/env.h"
#include "kernel/kernel_clock.h"
#include "table/event_schema.h"

namespace sluice::bench {
namespace {

template <typename T>
T ValueOf(arrow::Result<T> result) {
  CHECK(result.ok(), "Arrow reads the rows");
  return std::move(result).ValueUnsafe();
}

// As a hot chunk has them: string views, and no columns without values.
std::shared_ptr<arrow::Array> WithViews(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() != arrow::Type::STRING) return array;
  const auto& text = static_cast<const arrow::StringArray&>(*array);
  arrow::StringViewBuilder builder;
  for (int64_t i = 0; i < text.length(); i++)
    CHECK((text.IsNull(i) ? builder.AppendNull() : builder.Append(text.GetView(i))).ok(), "a view");
  return ValueOf(builder.Finish());
}

struct Rows {
  std::shared_ptr<arrow::RecordBatch> batch;
  Columns Export() const {
    ArrowSchema schema{};
    ArrowArray array{};
    CHECK(arrow::ExportRecordBatch(*batch, &array, &schema).ok(), "rows");
    return Columns(schema, array);
  }
};

Rows ReadRows(const std::string& path) {
  auto file = ValueOf(arrow::io::ReadableFile::Open(path));
  auto reader = ValueOf(parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  auto table = ValueOf(ValueOf(reader->ReadTable())->CombineChunks());
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& field : table::EventTableSchema().fields) {
    auto column = table->GetColumnByName(field.name);
    CHECK(column != nullptr, "a column of the event table is missing");
    if (column->null_count() == column->length()) continue;
    arrays.push_back(WithViews(column->chunk(0)));
    fields.push_back(iceberg::internal::MakeArrowField(field)->WithType(arrays.back()->type()));
  }
  return {arrow::RecordBatch::Make(arrow::schema(fields), table->num_rows(), arrays)};
}

int Run(int argc, char** argv) {
  std::string from, to;
  double seconds = 3;
  CLI::App app("Writes rows of the event table to a data file, again and again, and prints what it cost as JSON.");
  app.add_option("--rows", from, "Parquet file with the rows")->required();
  app.add_option("--to", to, "absolute path of the file to be written; the number of the run is added")->required();
  app.add_option("--seconds", seconds, "measured")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  io::RealWorld world(io::LogLevel::kError);
  const auto schema = table::EventTableSchema();
  auto options = iceberg::DataFileOptions::FromProperties(schema, table::EventTableProperties());
  CHECK(options.ok(), "the table's properties");
  const Rows rows = ReadRows(from);
  const Columns columns = rows.Export();
  double wall = 0, cpu = 0;
  int64_t written = 0, bytes = 0;
  for (int run = 0; wall < seconds; run++) {
    const std::string uri = "file://" + to + std::to_string(run);
    const double begin = WallSeconds(), cpu_begin = ThreadCpuSeconds();
    auto writer = iceberg::DataFileWriter::Open(world.env().objects, uri, schema, *options);
    CHECK(writer.ok() && (*writer)->Write(columns).ok(), "a data file");
    auto file = (*writer)->Finish();
    CHECK(file.ok(), "a data file");
    wall += WallSeconds() - begin;
    cpu += ThreadCpuSeconds() - cpu_begin;
    written += rows.batch->num_rows();
    bytes = file->file.file_size_bytes;
    CHECK(world.env().objects.Remove(uri).ok(), "a data file");
  }
  Json out;
  out.Set("rows_per_second", static_cast<double>(written) / wall);
  out.Set("rows_per_cpu_second", static_cast<double>(written) / cpu);
  out.Set("bytes_per_row", static_cast<double>(bytes) / static_cast<double>(rows.batch->num_rows()));
  std::printf("%s\n", out.Dump().c_str());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
