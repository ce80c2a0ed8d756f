// SPDX-License-Identifier: Apache-2.0
#include "iceberg/unreachable_files.h"

#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"

namespace sluice::iceberg {
namespace {

void AddStatistics(const Json& statistics, ReachableFiles& files) {
  for (const Json& item : statistics.AsArray()) {
    if (item["statistics-path"].is_string()) files.statistics_files.insert(item["statistics-path"].AsString());
  }
}

// `skip`: snapshots and manifests whose files are known to stay.
Result<ReachableFiles> List(io::ObjectStore& objects, const TableMetadata& table, const TableMetadata* skip_snapshots, const ReachableFiles* skip) {
  ReachableFiles files;
  for (const Snapshot& snapshot : table.snapshots) {
    if (skip_snapshots != nullptr && skip_snapshots->FindSnapshot(snapshot.snapshot_id) != nullptr) continue;
    ASSIGN_OR_RETURN(auto manifests, ReadManifestList(objects, snapshot));
    if (!snapshot.manifest_list.empty()) files.manifest_lists.insert(snapshot.manifest_list);
    for (const ManifestFile& manifest : manifests) {
      bool stays = skip != nullptr && skip->manifests.contains(manifest.path);
      if (stays || !files.manifests.insert(manifest.path).second) continue;
      ASSIGN_OR_RETURN(auto entries, ReadManifest(objects, manifest, table));
      for (const ManifestEntry& entry : entries) files.data_files.insert(entry.file.path);
    }
  }
  AddStatistics(table.statistics, files);
  AddStatistics(table.partition_statistics, files);
  return files;
}

void Subtract(std::set<std::string>& from, const std::set<std::string>& what) {
  std::erase_if(from, [&](const std::string& uri) { return what.contains(uri); });
}

}  // namespace

Result<ReachableFiles> ListReachable(io::ObjectStore& objects, const TableMetadata& table) { return List(objects, table, nullptr, nullptr); }

Result<ReachableFiles> ListUnreachable(io::ObjectStore& objects, const TableMetadata& before, const TableMetadata& after) {
  ASSIGN_OR_RETURN(ReachableFiles kept, ListReachable(objects, after));
  ASSIGN_OR_RETURN(ReachableFiles gone, List(objects, before, &after, &kept));
  Subtract(gone.data_files, kept.data_files);
  Subtract(gone.manifests, kept.manifests);
  Subtract(gone.manifest_lists, kept.manifest_lists);
  Subtract(gone.statistics_files, kept.statistics_files);
  return gone;
}

}  // namespace sluice::iceberg
