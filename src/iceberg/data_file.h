// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What a manifest says about one file of rows or deletes: where it is, to which partition it belongs, and what is in it.
// Source: Iceberg table spec, "Manifests", struct data_file.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/schema.h"
#include "iceberg/value.h"

namespace sluice::iceberg {

using SnapshotId = int64_t;
using DataSequence = int64_t;
using SpecId = int32_t;

enum class FileContent : int8_t { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

// Per column, by field id; only leaf columns have entries. Bounds are single-value bytes (value.h) and may be truncated: the
// lower one is <= every value, the upper one >= every value; null and NaN are not counted in bounds.
struct ColumnMetrics {
  std::map<FieldId, int64_t> column_sizes;  // compressed bytes
  std::map<FieldId, int64_t> value_counts;  // with nulls and NaN
  std::map<FieldId, int64_t> null_value_counts;
  std::map<FieldId, int64_t> nan_value_counts;
  std::map<FieldId, std::string> lower_bounds;
  std::map<FieldId, std::string> upper_bounds;

  bool operator==(const ColumnMetrics&) const = default;
};

struct DataFile {
  FileContent content = FileContent::kData;
  std::string path;                    // full URI
  std::string format = "PARQUET";      // compare without case
  PartitionValue partition;            // one value per field of the spec, in its order
  int64_t record_count = 0;
  int64_t file_size_bytes = 0;         // exact
  ColumnMetrics metrics;
  std::optional<std::string> key_metadata;
  std::vector<int64_t> split_offsets;  // byte positions of row groups, ascending
  std::vector<FieldId> equality_ids;   // kEqualityDeletes: at least one
  std::optional<int32_t> sort_order_id;
  std::optional<std::string> referenced_data_file;  // kPositionDeletes of one data file

  bool operator==(const DataFile&) const = default;
};

}  // namespace sluice::iceberg
