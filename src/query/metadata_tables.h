// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What bronze.events__snapshots and bronze.events__files show.

#include <vector>

#include "base/columns.h"
#include "base/result.h"
#include "iceberg/scan_plan.h"
#include "iceberg/table_metadata.h"

namespace sluice::query {

// committed_at, snapshot_id, parent_id, operation, manifest_list, added_records, total_records, added_data_files, total_data_files;
// oldest first. Names as in Iceberg's own metadata tables where those have them.
Columns SnapshotRows(const iceberg::TableMetadata& metadata);

// file_path, partition, record_count, file_size_in_bytes, spec_id, sequence_number.
Columns FileRows(const iceberg::TableMetadata& metadata, const std::vector<iceberg::ScanFile>& files);

}  // namespace sluice::query
