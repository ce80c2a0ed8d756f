// SPDX-License-Identifier: Apache-2.0
#include "tier/data_file_stager.h"

#include <algorithm>
#include <cstdio>

#include "iceberg/data_file_writer.h"
#include "table/hot_columns.h"
#include "tier/partition_groups.h"

namespace sluice::tier {
namespace {

// Cuts one group into batches of at most a row group's rows and writes them.
class GroupWriter {
 public:
  GroupWriter(iceberg::DataFileWriter& writer, std::shared_ptr<const std::vector<table::HotChunkView>> chunks, const std::vector<table::HotChunkReader>& readers,
              int64_t rows_max)
      : writer_(writer), chunks_(std::move(chunks)), readers_(readers), rows_max_(static_cast<size_t>(rows_max)) {}

  Result<void> Write(const PartitionGroup& group) {
    for (auto& part : group.chunks) {
      std::span<const uint32_t> rows = part.rows;
      while (!rows.empty()) {
        const size_t n = std::min(rows.size(), rows_max_ - gathered_);
        parts_.push_back({&readers_[part.chunk], rows.subspan(0, n)});
        gathered_ += n;
        rows = rows.subspan(n);
        if (gathered_ == rows_max_) RETURN_IF_ERROR(Flush());
      }
    }
    return gathered_ > 0 ? Flush() : Result<void>();
  }

 private:
  Result<void> Flush() {
    auto columns = table::GatherHotColumns(parts_, chunks_);
    parts_.clear();
    gathered_ = 0;
    return writer_.Write(columns);
  }
  iceberg::DataFileWriter& writer_;
  std::shared_ptr<const std::vector<table::HotChunkView>> chunks_;
  const std::vector<table::HotChunkReader>& readers_;
  const size_t rows_max_;
  std::vector<table::HotRows> parts_;
  size_t gathered_ = 0;
};

std::string DataFileUri(const iceberg::TableMetadata& metadata, const iceberg::PartitionValue& partition, const std::string& batch_id, size_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%05zu-", number);
  auto directory = iceberg::PartitionPath(metadata.spec(), metadata.schema(), partition);
  auto root = metadata.Property("write.data.path", metadata.location + "/data");
  return root + "/" + (directory.empty() ? "" : directory + "/") + name + batch_id + ".parquet";
}

}  // namespace

Result<StagedFiles> StageDataFiles(io::Env env, const iceberg::TableMetadata& metadata, const iceberg::DataFileOptions& options,
                                   const std::vector<table::HotChunkView>& chunks) {
  auto kept = std::make_shared<const std::vector<table::HotChunkView>>(chunks);
  std::vector<table::HotChunkReader> readers;
  for (auto& c : chunks) readers.push_back(c.chunk->reader());
  const auto batch_id = env.random.NextUuid();
  StagedFiles out;
  auto stage = [&](const PartitionGroup& group) -> Result<void> {
    ASSIGN_OR_RETURN(auto writer, iceberg::DataFileWriter::Open(env.objects, DataFileUri(metadata, group.partition, batch_id, out.files.size()), metadata.schema(), options));
    RETURN_IF_ERROR(GroupWriter(*writer, kept, readers, options.row_group_rows_max).Write(group));
    ASSIGN_OR_RETURN(auto written, writer->Finish());
    written.file.partition = group.partition;
    out.rows += group.rows;
    out.bytes += static_cast<uint64_t>(written.file.file_size_bytes);
    out.files.push_back(std::move(written.file));
    return {};
  };
  for (auto& group : GroupByPartition(metadata.spec(), chunks)) {
    if (auto staged = stage(group); !staged.ok()) {
      RemoveStagedFiles(env, out.files);
      return staged.error();
    }
  }
  return out;
}

void RemoveStagedFiles(io::Env env, const std::vector<iceberg::DataFile>& files) {
  for (auto& file : files)
    if (auto removed = env.objects.Remove(file.path); !removed.ok()) env.log.Warn("staged file left behind", {{"uri", file.path}, {"cause", removed.error().message}});
}

}  // namespace sluice::tier
