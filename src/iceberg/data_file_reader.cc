// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_reader.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <optional>
#include <vector>

#include "iceberg/data_file_seal.h"
#include "iceberg/internal/arrow_streams.h"
#include "iceberg/internal/arrow_types.h"

namespace sluice::iceberg {

namespace {

namespace pq = ::parquet;
using ArrayPtr = std::shared_ptr<::arrow::Array>;

void ListLeaves(const pq::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) ListLeaves(child, leaves);
}

Result<ArrayPtr> OneArray(const ::arrow::ChunkedArray& chunks) {
  if (chunks.num_chunks() == 1) return chunks.chunk(0);
  auto joined = chunks.num_chunks() == 0 ? ::arrow::MakeEmptyArray(chunks.type()) : ::arrow::Concatenate(chunks.chunks());
  if (!joined.ok()) return Error{ErrorCode::kCorruption, "joining pages: " + joined.status().message()};
  return *joined;
}

Result<Columns> Export(const ::arrow::RecordBatch& batch) {
  ArrowSchema schema{};
  ArrowArray array{};
  if (auto status = ::arrow::ExportRecordBatch(batch, &array, &schema); !status.ok()) return Error{ErrorCode::kCorruption, status.message()};
  return Columns(schema, array);
}

}  // namespace

class DataFileReader::State {
 public:
  State(std::unique_ptr<io::ObjectReader> object, TableSchema wanted)
      : object_(std::move(object)), wanted_(std::move(wanted)), stream_(std::make_shared<internal::ObjectInputFile>(*object_)) {}

  // Turns what the libraries throw or return into errors; an io error wins, it is the cause.
  template <class Step>
  auto Guard(Step step) -> decltype(step()) {
    try {
      auto result = step();
      if (!result.ok() && stream_->error().has_value()) return *stream_->error();
      return result;
    } catch (const std::bad_alloc&) {
      CHECK(false, "out of memory while reading a data file");
    } catch (const std::exception& error) {
      if (stream_->error().has_value()) return *stream_->error();
      return Error{ErrorCode::kCorruption, std::string("reading Parquet: ") + error.what()};
    }
  }

  Result<void> ReadFooter() {
    pq::arrow::FileReaderBuilder builder;
    PARQUET_THROW_NOT_OK(builder.Open(stream_));
    pq::ArrowReaderProperties properties(false);
    properties.set_pre_buffer(false);
    builder.properties(properties);
    PARQUET_ASSIGN_OR_THROW(reader_, builder.Build());
    auto metadata = reader_->parquet_reader()->metadata();
    positions_.push_back(0);
    for (int i = 0; i < metadata->num_row_groups(); i++) {
      const int64_t rows = metadata->RowGroup(i)->num_rows();
      if (rows < 0 || rows > INT64_MAX - positions_.back())
        return Error{ErrorCode::kCorruption, "row group " + std::to_string(i) + " has " + std::to_string(rows) + " rows"};
      positions_.push_back(positions_.back() + rows);
    }
    return {};
  }

  Result<Columns> ReadRowGroup(int row_group) {
    auto group = static_cast<size_t>(row_group);
    int64_t rows = positions_[group + 1] - positions_[group];
    if (rows > kRowsMax)
      return Error{ErrorCode::kInvalid, "row group " + std::to_string(row_group) + " says that it has " + std::to_string(rows) + " rows",
                   "rewrite the file with row groups of " + std::to_string(kRowsMax) + " rows at most"};
    ::arrow::FieldVector fields;
    ::arrow::ArrayVector arrays;
    for (const NestedField& field : wanted_.fields) {
      ASSIGN_OR_RETURN(ArrayPtr array, ReadColumn(row_group, field, rows));
      fields.push_back(internal::MakeArrowField(field));
      arrays.push_back(std::move(array));
    }
    return Export(*::arrow::RecordBatch::Make(::arrow::schema(fields), rows, arrays));
  }

  const std::vector<int64_t>& positions() const { return positions_; }

 private:
  Result<ArrayPtr> ReadColumn(int row_group, const NestedField& field, int64_t rows) {
    std::vector<int> leaves;
    for (const auto& candidate : reader_->manifest().schema_fields) {
      if (internal::FieldIdOf(*candidate.field) == field.id) ListLeaves(candidate, leaves);
    }
    if (leaves.empty()) return internal::MissingArray(field, rows);
    PARQUET_ASSIGN_OR_THROW(auto table, reader_->ReadRowGroup(row_group, leaves));
    ASSIGN_OR_RETURN(ArrayPtr array, OneArray(*table->column(0)));
    return internal::AdaptArray(array, field);
  }

  std::unique_ptr<io::ObjectReader> object_;
  TableSchema wanted_;
  std::shared_ptr<internal::ObjectInputFile> stream_;
  std::unique_ptr<pq::arrow::FileReader> reader_;
  std::vector<int64_t> positions_;  // first row of each row group, then the number of rows
};

DataFileReader::DataFileReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataFileReader::~DataFileReader() = default;

Result<std::unique_ptr<DataFileReader>> DataFileReader::Open(std::unique_ptr<io::ObjectReader> object, TableSchema wanted) {
  ASSIGN_OR_RETURN(object, VerifySeal(std::move(object)));
  auto state = std::make_unique<State>(std::move(object), std::move(wanted));
  RETURN_IF_ERROR(state->Guard([&] { return state->ReadFooter(); }));
  return std::unique_ptr<DataFileReader>(new DataFileReader(std::move(state)));
}

int64_t DataFileReader::rows() const { return state_->positions().back(); }
int DataFileReader::row_groups() const { return static_cast<int>(state_->positions().size()) - 1; }

int64_t DataFileReader::first_position(int row_group) const {
  CHECK(row_group >= 0 && row_group <= row_groups(), "row group out of range");
  return state_->positions()[static_cast<size_t>(row_group)];
}

Result<Columns> DataFileReader::ReadRowGroup(int row_group) {
  CHECK(row_group >= 0 && row_group < row_groups(), "row group out of range");
  return state_->Guard([&] { return state_->ReadRowGroup(row_group); });
}

}  // namespace sluice::iceberg
