// SPDX-License-Identifier: Apache-2.0
#include "query/metadata_tables.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "base/columns_builder.h"

namespace sluice::query {
namespace {

using OptionalText = std::optional<std::string>;
using OptionalLong = std::optional<int64_t>;

OptionalText TextOf(const iceberg::Snapshot& snapshot, const char* key) {
  auto at = snapshot.summary.find(key);
  return at == snapshot.summary.end() ? OptionalText() : OptionalText(at->second);
}
OptionalLong NumberOf(const iceberg::Snapshot& snapshot, const char* key) {
  auto text = TextOf(snapshot, key);
  return text ? OptionalLong(std::atoll(text->c_str())) : OptionalLong();
}

}  // namespace

Columns SnapshotRows(const iceberg::TableMetadata& metadata) {
  std::vector<std::optional<Timestamp>> committed;
  std::vector<OptionalLong> ids, parents, added_records, total_records, added_files, total_files;
  std::vector<OptionalText> operations, lists;
  for (auto& s : metadata.snapshots) {
    committed.push_back(Timestamp{s.timestamp_ms * kMicrosPerMilli});
    ids.push_back(s.snapshot_id);
    parents.push_back(s.parent_snapshot_id);
    operations.push_back(TextOf(s, "operation"));
    lists.push_back(s.manifest_list);
    added_records.push_back(NumberOf(s, "added-records"));
    total_records.push_back(NumberOf(s, "total-records"));
    added_files.push_back(NumberOf(s, "added-data-files"));
    total_files.push_back(NumberOf(s, "total-data-files"));
  }
  base::ColumnsBuilder out;
  out.AddTimestamps("committed_at", committed);
  out.AddLongs("snapshot_id", ids);
  out.AddLongs("parent_id", parents);
  out.AddStrings("operation", operations);
  out.AddStrings("manifest_list", lists);
  out.AddLongs("added_records", added_records);
  out.AddLongs("total_records", total_records);
  out.AddLongs("added_data_files", added_files);
  out.AddLongs("total_data_files", total_files);
  return out.Finish(static_cast<int64_t>(ids.size()));
}

Columns FileRows(const iceberg::TableMetadata& metadata, const std::vector<iceberg::ScanFile>& files) {
  std::vector<OptionalText> paths, partitions;
  std::vector<OptionalLong> records, bytes, specs, sequences;
  for (auto& f : files) {
    paths.push_back(f.file->path);
    auto* spec = metadata.FindSpec(f.spec_id);
    partitions.push_back(spec == nullptr ? OptionalText()
                                         : OptionalText(iceberg::PartitionPath(*spec, metadata.PartitionTypeOf(*spec), f.file->partition)));
    records.push_back(f.file->record_count);
    bytes.push_back(f.file->file_size_bytes);
    specs.push_back(f.spec_id);
    sequences.push_back(f.sequence_number);
  }
  base::ColumnsBuilder out;
  out.AddStrings("file_path", paths);
  out.AddStrings("partition", partitions);
  out.AddLongs("record_count", records);
  out.AddLongs("file_size_in_bytes", bytes);
  out.AddLongs("spec_id", specs);
  out.AddLongs("sequence_number", sequences);
  return out.Finish(static_cast<int64_t>(paths.size()));
}

}  // namespace sluice::query
