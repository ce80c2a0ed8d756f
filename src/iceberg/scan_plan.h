// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// ScanPlan: the files a query has to open, found without opening any of them.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "iceberg/column_filter.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/table_metadata.h"
#include "io/object_store.h"

namespace sluice::iceberg {

// A data file to read, with the delete files that apply to it: every one of them has to be applied.
struct ScanFile {
  const DataFile* file = nullptr;
  SpecId spec_id = 0;
  DataSequence sequence_number = 0;
  std::vector<const DataFile*> deletes;
};

struct ScanCounts {
  int64_t manifests_read = 0;
  int64_t manifests_pruned = 0;
  int64_t files_pruned_by_manifest = 0;  // live ones of pruned manifests, as the manifest list counts them
  int64_t files_pruned_by_partition = 0;
  int64_t files_pruned_by_bounds = 0;
  uint64_t bytes_pruned = 0;  // of files pruned by partition and by bounds; those of pruned manifests are not known
  int64_t records = 0;        // in `files`, deleted rows included

  int64_t files_pruned() const { return files_pruned_by_manifest + files_pruned_by_partition + files_pruned_by_bounds; }
};

// Pointers in `files` live as long as the plan, or a copy of `manifests`, does.
struct ScanPlan {
  SnapshotId snapshot_id = 0;
  std::vector<ScanFile> files;
  ScanCounts counts;
  std::vector<std::shared_ptr<const ManifestEntries>> manifests;
};

// The files of `snapshot` that may hold rows matching all `filters` (by ids of the metadata's current schema; a filter of an
// unknown column leaves nothing out). `cache` may be null.
// Errors: those of reading the manifest list and manifests.
Result<ScanPlan> PlanScan(io::ObjectStore& objects, const TableMetadata& metadata, const Snapshot& snapshot,
                          std::span<const ColumnFilter> filters, ManifestCache* cache);

}  // namespace sluice::iceberg
