// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// SnapshotProducer: turns a SnapshotChange into manifests, a manifest list and a Snapshot. A commit that lost a race produces
// again on the new base: manifests that are still right are used again, only the list is new.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/env.h"
#include "iceberg/manifest_writer.h"
#include "iceberg/table_change.h"

namespace sluice::iceberg {

// One per commit. Not thread-safe. `change` must outlive it.
class SnapshotProducer {
 public:
  SnapshotProducer(io::Env env, const SnapshotChange& change);

  // The next snapshot on `table` (its definition already changed). Writes objects; nobody refers to them yet.
  // kConflict: a file to remove is not live, or an added path is live already (this very change was committed before).
  // kNotFound, kCorruption: the table's own manifests cannot be read. Errors of the object store pass through.
  Result<Snapshot> Produce(const TableMetadata& table);

  // Removes what was written and the last snapshot does not use, after it was committed.
  void RemoveUnused();
  // Removes everything that was written. REQUIRES: it is known that no commit uses it.
  void RemoveAll();

 private:
  // The entries of one manifest that is written again.
  struct Rewritten {
    ManifestFile manifest;
    std::vector<AddedFile> removed;  // which of its files left
  };

  Result<void> WriteNewManifests(const TableMetadata& table);
  Result<ManifestFile> Write(const TableMetadata& table, WrittenManifest written);
  Result<void> CheckNotCommitted(const TableMetadata& table, const std::vector<ManifestFile>& before);
  Result<std::vector<ManifestFile>> WithoutRemoved(const TableMetadata& table, std::vector<ManifestFile> before);
  Result<const Rewritten*> Rewrite(const TableMetadata& table, const ManifestFile& manifest);
  Result<std::vector<ManifestFile>> Merge(const TableMetadata& table, std::vector<ManifestFile> manifests);
  Result<ManifestFile> MergeGroup(const TableMetadata& table, const std::vector<ManifestFile>& group);
  Result<void> WriteList(const TableMetadata& table, Snapshot& snapshot, const std::vector<ManifestFile>& manifests);
  void ChooseSnapshotId(const TableMetadata& table);
  std::string NextManifestUri(const TableMetadata& table);
  std::string Sync();
  void RemoveIf(const std::set<std::string>& used);

  io::Env env_;
  const SnapshotChange& change_;
  std::set<std::string> removed_paths_;
  std::string commit_uuid_;
  SnapshotId snapshot_id_ = 0;
  int attempts_ = 0;
  int manifests_written_ = 0;
  std::vector<ManifestFile> new_manifests_;
  std::map<std::string, Rewritten> rewritten_;        // by the manifest's path before
  std::map<std::string, ManifestFile> merged_;        // by the paths that went in
  std::set<std::string> seen_manifests_;              // of earlier attempts' bases
  std::vector<AddedFile> removed_;                    // of the last attempt
  std::set<std::string> written_;                     // every object
  std::set<std::string> used_;                        // by the last snapshot
};

// Where a table's metadata lies: write.metadata.path, or "metadata" below its location.
std::string MetadataDirectory(const TableMetadata& table);

}  // namespace sluice::iceberg
