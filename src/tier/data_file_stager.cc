// SPDX-License-Identifier: Apache-2.0
#include "tier/data_file_stager.h"

#include <algorithm>
#include <cstdio>

#include "iceberg/data_file_writer.h"
#include "table/hot_columns.h"
#include "tier/partition_groups.h"

namespace sluice::tier {
namespace {

// The first rows of a partition, as many as make a row group; given to the Parquet writer one column after the other.
class RowGroupSource final : public iceberg::ColumnSource {
 public:
  RowGroupSource(std::shared_ptr<const std::vector<table::HotChunkView>> chunks, const iceberg::DataFileOptions& options)
      : chunks_(std::move(chunks)), options_(options) {
    for (auto& view : *chunks_) readers_.push_back(view.chunk->reader());
  }

  // Takes from the front of `rows` and returns how many.
  size_t Take(std::span<const RowPlace> rows) {
    size_t n = std::min(rows.size(), static_cast<size_t>(options_.row_group_rows_max));
    for (Lay(rows.first(n), 1); n > 1 && table::HotValueBytes(parts_) > static_cast<uint64_t>(options_.row_group_bytes_max);
         Lay(rows.first(n), 1))
      n /= 2;
    return n;
  }

  int64_t rows() const override { return static_cast<int64_t>(numbers_.size()); }
  Columns Column(iceberg::FieldId id) override {
    if (id < 1 || id > static_cast<iceberg::FieldId>(table::kEventColumnCount)) return {};
    return table::GatherHotColumn(static_cast<table::EventColumn>(id - 1), parts_, chunks_);
  }
  Columns Sample() override {
    RowGroupSource sample(*this);
    sample.Lay(places_, std::max<size_t>(1, places_.size() / kSampleRows));
    return table::GatherHotColumns(sample.parts_, chunks_);
  }

 private:
  static constexpr size_t kSampleRows = 256;

  // Every `step`th of `places`, as runs of rows of one chunk.
  void Lay(std::span<const RowPlace> places, size_t step) {
    places_ = places;
    parts_.clear();
    numbers_.clear();
    numbers_.reserve(places.size() / step + 1);  // parts_ points into it
    for (size_t i = 0; i < places.size(); i += step) {
      numbers_.push_back(places[i].row());
      const auto* reader = &readers_[places[i].chunk()];
      if (parts_.empty() || parts_.back().chunk != reader) parts_.push_back({reader, {&numbers_.back(), 0}});
      parts_.back().rows = {parts_.back().rows.data(), parts_.back().rows.size() + 1};
    }
  }

  std::shared_ptr<const std::vector<table::HotChunkView>> chunks_;
  const iceberg::DataFileOptions& options_;
  std::vector<table::HotChunkReader> readers_;  // of chunks_
  std::span<const RowPlace> places_;
  std::vector<uint32_t> numbers_;
  std::vector<table::HotRows> parts_;
};

iceberg::DataFileOptions WithinBounds(iceberg::DataFileOptions options) {
  options.row_group_rows_max = std::min(options.row_group_rows_max, kRowGroupRowsMax);
  options.page_bytes = std::min(options.page_bytes, kPageBytesMax);
  options.dictionary_bytes_max = std::min(options.dictionary_bytes_max, kPageBytesMax);
  return options;
}

std::string DataFileUri(const iceberg::TableMetadata& metadata, const iceberg::PartitionValue& partition, const std::string& batch_id,
                        size_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%05zu-", number);
  auto directory = iceberg::PartitionPath(metadata.spec(), metadata.PartitionTypeOf(metadata.spec()), partition);
  auto root = metadata.Property("write.data.path", metadata.location + "/data");
  return root + "/" + (directory.empty() ? "" : directory + "/") + name + batch_id + ".parquet";
}

}  // namespace

Result<StagedFiles> StageDataFiles(io::Env env, WritingTurns& turns, const iceberg::TableMetadata& metadata,
                                   const iceberg::DataFileOptions& wanted, const std::vector<table::HotChunkView>& chunks) {
  // Another engine may divide the table in a way that is not known here: nobody could tell where a row belongs.
  RETURN_IF_ERROR(iceberg::CheckPartitionSpec(metadata.spec(), metadata.schema()));
  for (auto& view : chunks) RETURN_IF_ERROR(view.chunk->Check());
  const auto turn = turns.Take();
  const auto options = WithinBounds(wanted);
  RowGroupSource source(std::make_shared<const std::vector<table::HotChunkView>>(chunks), options);
  const auto batch_id = env.random.NextUuid();
  iceberg::WriterMemory memory;
  StagedFiles out;
  // One file of the first of `rows`, which is cut to the others.
  auto stage = [&](const iceberg::PartitionValue& partition, std::span<const RowPlace>& rows) -> Result<void> {
    ASSIGN_OR_RETURN(auto writer, iceberg::DataFileWriter::Open(env.objects, DataFileUri(metadata, partition, batch_id, out.files.size()),
                                                                metadata.schema(), options, &memory));
    for (size_t groups = 0; groups < kRowGroupsPerFileMax && !rows.empty(); groups++) {
      rows = rows.subspan(source.Take(rows));
      RETURN_IF_ERROR(writer->Write(source));
    }
    out.rows += static_cast<uint64_t>(writer->rows());
    ASSIGN_OR_RETURN(auto written, writer->Finish());
    written.file.partition = partition;
    out.bytes += static_cast<uint64_t>(written.file.file_size_bytes);
    out.files.push_back({std::move(written.file), metadata.default_spec_id});
    return {};
  };
  const auto grouped = GroupByPartition(metadata.spec(), chunks);
  for (auto& group : grouped.groups) {
    for (auto rows = group.rows; !rows.empty();) {
      if (auto staged = stage(group.partition, rows); !staged.ok()) {
        RemoveStagedFiles(env, out.files);
        return staged.error();
      }
    }
  }
  return out;
}

void RemoveStagedFiles(io::Env env, const std::vector<iceberg::AddedFile>& files) {
  for (auto& [file, spec_id] : files)
    if (auto removed = env.objects.Remove(file.path); !removed.ok())
      env.log.Warn("staged file left behind", {{"uri", file.path}, {"cause", removed.error().message}});
}

}  // namespace sluice::tier
