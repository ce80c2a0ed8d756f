// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/delete_index.h"

namespace sluice::iceberg {
namespace {

constexpr FieldId kDeleteFilePathId = 2147483546;  // "file_path" of a position delete file

// The data file that all positions belong to; empty when they belong to several or it is not known.
std::string TargetOf(const DataFile& file) {
  if (file.referenced_data_file) return *file.referenced_data_file;
  auto lower = file.metrics.lower_bounds.find(kDeleteFilePathId);
  auto upper = file.metrics.upper_bounds.find(kDeleteFilePathId);
  if (lower == file.metrics.lower_bounds.end() || upper == file.metrics.upper_bounds.end()) return {};
  return lower->second == upper->second ? lower->second : std::string();
}

bool Applies(const ManifestEntry& deletes, const ManifestEntry& data) {
  if (deletes.file.content == FileContent::kPositionDeletes) return *data.sequence_number <= *deletes.sequence_number;
  return *data.sequence_number < *deletes.sequence_number;
}

}  // namespace

void DeleteIndex::Add(const ManifestEntry& entry, SpecId spec_id, bool is_unpartitioned) {
  bool by_equality = entry.file.content == FileContent::kEqualityDeletes;
  if (by_equality && is_unpartitioned) return everywhere_.push_back(&entry);
  std::string target = by_equality ? std::string() : TargetOf(entry.file);
  if (!target.empty()) return by_path_[target].push_back(&entry);
  by_partition_[spec_id][entry.file.partition].push_back(&entry);
}

std::vector<const DataFile*> DeleteIndex::Find(const ManifestEntry& data, SpecId spec_id) const {
  std::vector<const DataFile*> found;
  auto take = [&](const std::vector<const ManifestEntry*>& candidates) {
    for (const ManifestEntry* deletes : candidates) {
      if (Applies(*deletes, data)) found.push_back(&deletes->file);
    }
  };
  if (auto it = by_path_.find(data.file.path); it != by_path_.end()) take(it->second);
  if (auto of_spec = by_partition_.find(spec_id); of_spec != by_partition_.end())
    if (auto it = of_spec->second.find(data.file.partition); it != of_spec->second.end()) take(it->second);
  take(everywhere_);
  return found;
}

}  // namespace sluice::iceberg
