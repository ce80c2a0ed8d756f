// SPDX-License-Identifier: Apache-2.0
#include "iceberg/scan_plan.h"

#include <algorithm>

#include "iceberg/internal/delete_index.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"

namespace sluice::iceberg {
namespace {

// A filter with the type of its column.
struct TypedFilter {
  ColumnFilter filter;
  Type type;
};

std::vector<TypedFilter> Resolve(const TableMetadata& metadata, std::span<const ColumnFilter> filters) {
  std::vector<TypedFilter> resolved;
  for (const ColumnFilter& filter : filters) {
    const NestedField* field = metadata.schema().FindById(filter.field_id);
    if (field != nullptr && field->type.is_primitive()) resolved.push_back({filter, field->type});
  }
  return resolved;
}

// Reads the manifests of one snapshot and fills a plan.
class Planner {
 public:
  Planner(io::ObjectStore& objects, const TableMetadata& metadata, std::span<const ColumnFilter> filters, ManifestCache* cache)
      : objects_(objects), metadata_(metadata), filters_(Resolve(metadata, filters)), cache_(cache) {}

  Result<ScanPlan> Plan(const Snapshot& snapshot) {
    plan_.snapshot_id = snapshot.snapshot_id;
    ASSIGN_OR_RETURN(auto manifests, ReadManifestList(objects_, snapshot));
    for (const ManifestFile& manifest : manifests) {
      if (manifest.content == ManifestContent::kDeletes) RETURN_IF_ERROR(AddDeletes(manifest));
    }
    for (const ManifestFile& manifest : manifests) {
      if (manifest.content == ManifestContent::kData) RETURN_IF_ERROR(AddData(manifest));
    }
    return std::move(plan_);
  }

 private:
  // Null: nothing in it is live.
  Result<const ManifestEntries*> Read(const ManifestFile& manifest) {
    if (!manifest.has_live_files()) return nullptr;
    plan_.counts.manifests_read++;
    std::shared_ptr<const ManifestEntries> entries;
    if (cache_ != nullptr) {
      ASSIGN_OR_RETURN(entries, cache_->Get(objects_, manifest, metadata_));
    } else {
      ASSIGN_OR_RETURN(ManifestEntries read, ReadManifest(objects_, manifest, metadata_));
      entries = std::make_shared<const ManifestEntries>(std::move(read));
    }
    plan_.manifests.push_back(entries);
    return entries.get();
  }

  Result<void> AddDeletes(const ManifestFile& manifest) {
    ASSIGN_OR_RETURN(const ManifestEntries* entries, Read(manifest));
    if (entries == nullptr) return {};
    const PartitionSpec* spec = metadata_.FindSpec(manifest.partition_spec_id);
    bool is_unpartitioned = spec != nullptr && spec->fields.empty();
    for (const ManifestEntry& entry : *entries) {
      if (entry.is_live()) deletes_.Add(entry, manifest.partition_spec_id, is_unpartitioned);
    }
    return {};
  }

  Result<void> AddData(const ManifestFile& manifest) {
    const PartitionSpec* spec = metadata_.FindSpec(manifest.partition_spec_id);
    auto may_match = [&](const TypedFilter& f) { return ManifestMayMatch(f.filter, f.type, *spec, manifest); };
    if (spec == nullptr)
      return Error{ErrorCode::kCorruption,
                   "the table has no partition spec " + std::to_string(manifest.partition_spec_id) + " of \"" + manifest.path + "\""};
    if (!std::all_of(filters_.begin(), filters_.end(), may_match)) {
      plan_.counts.manifests_pruned++;
      plan_.counts.files_pruned_by_manifest += manifest.added_files_count.value_or(0) + manifest.existing_files_count.value_or(0);
      return {};
    }
    ASSIGN_OR_RETURN(const ManifestEntries* entries, Read(manifest));
    if (entries == nullptr) return {};
    for (const ManifestEntry& entry : *entries) {
      if (entry.is_live()) AddFile(entry, *spec);
    }
    return {};
  }

  void AddFile(const ManifestEntry& entry, const PartitionSpec& spec) {
    for (const TypedFilter& f : filters_) {
      if (!PartitionMayMatch(f.filter, f.type, spec, entry.file.partition)) {
        plan_.counts.files_pruned_by_partition++;
        plan_.counts.bytes_pruned += static_cast<uint64_t>(entry.file.file_size_bytes);
        return;
      }
      if (!FileMayMatch(f.filter, f.type, entry.file)) {
        plan_.counts.files_pruned_by_bounds++;
        plan_.counts.bytes_pruned += static_cast<uint64_t>(entry.file.file_size_bytes);
        return;
      }
    }
    plan_.counts.records += entry.file.record_count;
    plan_.files.push_back({&entry.file, spec.spec_id, *entry.sequence_number, deletes_.Find(entry, spec.spec_id)});
  }

  io::ObjectStore& objects_;
  const TableMetadata& metadata_;
  std::vector<TypedFilter> filters_;
  ManifestCache* cache_;
  DeleteIndex deletes_;
  ScanPlan plan_;
};

}  // namespace

Result<ScanPlan> PlanScan(io::ObjectStore& objects, const TableMetadata& metadata, const Snapshot& snapshot,
                          std::span<const ColumnFilter> filters, ManifestCache* cache) {
  return Planner(objects, metadata, filters, cache).Plan(snapshot);
}

}  // namespace sluice::iceberg
