// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_writer.h"

#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <new>
#include <optional>
#include <vector>

#include "iceberg/data_file_seal.h"
#include "iceberg/internal/arrow_streams.h"
#include "iceberg/internal/leaf_path.h"
#include "iceberg/internal/leaf_writer.h"
#include "iceberg/internal/parquet_properties.h"
#include "iceberg/internal/parquet_schema.h"

namespace sluice::iceberg {

namespace {

namespace pq = ::parquet;
using internal::LeafPath;
using internal::LeafWriter;
using Rows = LeafPath::Rows;

// Bytes of the values of one leaf, before encoding.
Result<int64_t> LeafBytes(LeafPath& path, Rows rows) {
  const internal::ArrowColumn& leaf = path.leaf();
  if (path.absent()) return 0;
  bool flat_fixed = !path.repeated() && (leaf.layout() == internal::Layout::kFixed || leaf.layout() == internal::Layout::kBits);
  if (flat_fixed) return rows.count * std::max(1, leaf.width());
  int64_t bytes = 0;
  while (rows.count > 0) {
    ASSIGN_OR_RETURN(internal::LevelRun run, path.Fill(rows));
    bytes += path.leaf().BytesOf(run.values);
    rows = rows.Part(static_cast<int64_t>(run.rows), rows.count - static_cast<int64_t>(run.rows));
  }
  return bytes;
}

}  // namespace

// Throws what the Parquet library throws; DataFileWriter turns it into errors.
class DataFileWriter::State {
 public:
  State(std::string uri, TableSchema schema, DataFileOptions options, std::unique_ptr<io::ObjectWriter> object, WriterMemory* memory)
      : uri_(std::move(uri)),
        schema_(std::move(schema)),
        options_(std::move(options)),
        memory_(memory),
        stream_(std::make_shared<internal::ObjectOutputStream>(std::move(object), options_.seal)) {}
  // The Parquet writer ends the file when it is destroyed; the stream must refuse that.
  ~State() { stream_->Abandon(); }

  // Runs `step` unless an earlier one failed; whatever goes wrong closes the writer.
  template <class Step>
  auto Guard(Step step) -> decltype(step()) {
    if (failure_.has_value()) return *failure_;
    try {
      auto result = step();
      if (!result.ok()) failure_ = result.error();
      if (failure_.has_value()) stream_->Abandon();
      return result;
    } catch (const std::bad_alloc&) {
      CHECK(false, "out of memory while writing a data file");
    } catch (const std::exception& error) {
      failure_ = stream_->error().has_value() ? *stream_->error() : Error{ErrorCode::kInvalid, std::string("writing Parquet: ") + error.what()};
      stream_->Abandon();
      return *failure_;
    }
  }

  Result<void> Write(const Columns& columns, Rows rows) {
    if (columns.empty()) return Error{ErrorCode::kInvalid, "there are no columns to write"};
    ASSIGN_OR_RETURN(std::vector<LeafPath> paths, internal::BindLeaves(schema_, columns));
    if (rows.count == 0) return {};
    if (file_ == nullptr) RETURN_IF_ERROR(OpenFile(paths, rows));
    while (rows.count > 0) {
      ASSIGN_OR_RETURN(Rows part, FirstRowGroup(paths, rows));
      RETURN_IF_ERROR(WriteRowGroup(paths, part));
      rows = rows.Part(part.count, rows.count - part.count);
    }
    return {};
  }

  Result<void> Write(ColumnSource& source) {
    const Rows all{0, source.rows(), nullptr};
    CHECK(all.count > 0 && all.count <= options_.row_group_rows_max, "rows that are no row group");
    if (file_ == nullptr) {
      Columns sample = source.Sample();
      ASSIGN_OR_RETURN(std::vector<LeafPath> paths, internal::BindLeaves(schema_, sample));
      RETURN_IF_ERROR(OpenFile(paths, Rows{0, sample.rows(), nullptr}));
    }
    pq::RowGroupWriter* group = file_->AppendRowGroup();
    size_t leaf = 0;
    for (const NestedField& field : schema_.fields) {
      const Columns columns = source.Column(field.id);
      ASSIGN_OR_RETURN(std::vector<LeafPath> paths, internal::BindLeaves(field, columns));
      for (LeafPath& path : paths) RETURN_IF_ERROR(WriteLeaf(*leaves_[leaf++], path, all, *group));
    }
    group->Close();
    rows_ += all.count;
    return {};
  }

  Result<WrittenDataFile> Finish() {
    if (file_ == nullptr) return Error{ErrorCode::kInvalid, "no row was written to \"" + uri_ + "\""};
    stream_->BeginFooter();
    file_->Close();
    WrittenDataFile written;
    written.file = Describe(*file_->metadata());
    RETURN_IF_ERROR(stream_->Finish());
    written.file.file_size_bytes = stream_->position();
    written.footer_bytes = stream_->footer_bytes();
    failure_ = Error{ErrorCode::kInvalid, "the data file \"" + uri_ + "\" is finished"};
    return written;
  }

  int64_t rows() const { return rows_; }
  int64_t bytes() const { return stream_->position(); }

 private:
  // Waits for the first rows, because they decide about dictionaries.
  Result<void> OpenFile(std::vector<LeafPath>& paths, Rows rows) {
    auto root = internal::MakeParquetSchema(schema_);
    pq::SchemaDescriptor descriptor;
    descriptor.Init(root);
    ASSIGN_OR_RETURN(auto properties, internal::MakeWriterProperties(options_, descriptor, paths, rows, memory_ != nullptr ? &memory_->pool() : nullptr));
    auto metadata = std::make_shared<::arrow::KeyValueMetadata>();
    for (const auto& [key, value] : options_.file_metadata) metadata->Append(key, value);
    if (options_.seal) metadata->Append(std::string(kSealKey), std::string(kSealVersion));
    for (const LeafPath& path : paths) leaves_.push_back(LeafWriter::Make(path.field(), path.repeated(), options_.column(path.field().id).metrics));
    file_ = pq::ParquetFileWriter::Open(stream_, root, properties, metadata->size() == 0 ? nullptr : metadata);
    return {};
  }

  // As many of the first rows as one row group may have.
  Result<Rows> FirstRowGroup(std::vector<LeafPath>& paths, Rows rows) {
    Rows part = rows.Part(0, std::min(rows.count, options_.row_group_rows_max));
    while (part.count > 1) {
      int64_t bytes = 0;
      for (LeafPath& path : paths) {
        ASSIGN_OR_RETURN(int64_t leaf_bytes, LeafBytes(path, part));
        bytes += leaf_bytes;
      }
      if (bytes <= options_.row_group_bytes_max) break;
      part = part.Part(0, part.count / 2);
    }
    return part;
  }

  Result<void> WriteRowGroup(std::vector<LeafPath>& paths, Rows rows) {
    pq::RowGroupWriter* group = file_->AppendRowGroup();
    for (size_t i = 0; i < paths.size(); i++) RETURN_IF_ERROR(WriteLeaf(*leaves_[i], paths[i], rows, *group));
    group->Close();
    rows_ += rows.count;
    return {};
  }

  static Result<void> WriteLeaf(LeafWriter& leaf, LeafPath& path, Rows rows, pq::RowGroupWriter& group) {
    pq::ColumnWriter* column = group.NextColumn();
    RETURN_IF_ERROR(leaf.Write(path, rows, *column));
    column->Close();
    return {};
  }

  DataFile Describe(const pq::FileMetaData& metadata) const {
    DataFile file;
    file.path = uri_;
    file.record_count = metadata.num_rows();
    for (const auto& leaf : leaves_) leaf->AddMetrics(file.metrics);
    for (int g = 0; g < metadata.num_row_groups(); g++) {
      auto group = metadata.RowGroup(g);
      file.split_offsets.push_back(group->file_offset());
      for (int c = 0; c < metadata.num_columns(); c++) {
        FieldId id = metadata.schema()->Column(c)->schema_node()->field_id();
        if (options_.column(id).metrics.kind == MetricsMode::Kind::kNone) continue;
        file.metrics.column_sizes[id] += group->ColumnChunk(c)->total_compressed_size();
      }
    }
    return file;
  }

  std::string uri_;
  TableSchema schema_;
  DataFileOptions options_;
  WriterMemory* memory_;  // or null
  std::shared_ptr<internal::ObjectOutputStream> stream_;
  std::unique_ptr<pq::ParquetFileWriter> file_;  // null until the first rows
  std::vector<std::unique_ptr<LeafWriter>> leaves_;
  int64_t rows_ = 0;
  std::optional<Error> failure_;  // what every further call returns
};

DataFileWriter::DataFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataFileWriter::~DataFileWriter() = default;

Result<std::unique_ptr<DataFileWriter>> DataFileWriter::Open(io::ObjectStore& objects, std::string uri, TableSchema schema, DataFileOptions options,
                                                             WriterMemory* memory) {
  RETURN_IF_ERROR(options.Validate());
  if (schema.fields.empty()) return Error{ErrorCode::kInvalid, "a data file needs at least one column"};
  ASSIGN_OR_RETURN(auto object, objects.Create(uri));
  auto state = std::make_unique<State>(std::move(uri), std::move(schema), std::move(options), std::move(object), memory);
  return std::unique_ptr<DataFileWriter>(new DataFileWriter(std::move(state)));
}

Result<void> DataFileWriter::Write(const Columns& columns) {
  return state_->Guard([&] { return state_->Write(columns, Rows{0, columns.rows(), nullptr}); });
}

Result<void> DataFileWriter::Write(const Columns& columns, std::span<const uint32_t> rows) {
  CHECK(std::all_of(rows.begin(), rows.end(), [&](uint32_t row) { return row < columns.rows(); }), "a row that the columns do not have");
  return state_->Guard([&] { return state_->Write(columns, Rows{0, static_cast<int64_t>(rows.size()), rows.data()}); });
}

Result<void> DataFileWriter::Write(ColumnSource& source) {
  return state_->Guard([&] { return state_->Write(source); });
}

Result<WrittenDataFile> DataFileWriter::Finish() {
  return state_->Guard([&] { return state_->Finish(); });
}

int64_t DataFileWriter::rows() const { return state_->rows(); }
int64_t DataFileWriter::bytes() const { return state_->bytes(); }

}  // namespace sluice::iceberg
