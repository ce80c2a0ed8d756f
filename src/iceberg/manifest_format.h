// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Manifests and manifest lists: what stands in them, under which field ids.
//
//   metadata.json ── snapshot ── manifest list (one per snapshot) ── manifests (shared by snapshots) ── data and delete files
//
// Both are Avro files. An entry of a manifest that was just added leaves its sequence numbers out: it inherits those that
// the manifest gets in the manifest list, so a commit that lost a race rewrites only the list.
// Source: Iceberg table spec, "Manifests", "Manifest Lists", "Sequence Number Inheritance".

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "iceberg/data_file.h"
#include "iceberg/schema.h"

namespace sluice::iceberg {

// A manifest or a manifest list may have this many bytes; more is refused.
constexpr uint64_t kManifestBytesMax = uint64_t{512} << 20;

enum class ManifestContent : int8_t { kData = 0, kDeletes = 1 };
enum class EntryStatus : int8_t { kExisting = 0, kAdded = 1, kDeleted = 2 };

// One file in a manifest. Read entries have all numbers set; in an entry to be written as kAdded, absent means "inherit".
struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  std::optional<SnapshotId> snapshot_id;  // that added it, or that deleted it
  std::optional<DataSequence> sequence_number;
  std::optional<DataSequence> file_sequence_number;
  DataFile file;

  bool is_live() const { return status != EntryStatus::kDeleted; }
  bool operator==(const ManifestEntry&) const = default;
};

// What a manifest holds in one field of its spec. Bounds are single-value bytes.
struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower_bound;
  std::optional<std::string> upper_bound;

  bool operator==(const FieldSummary&) const = default;
};

constexpr DataSequence kUnassignedSequence = -1;

// One manifest in a manifest list.
struct ManifestFile {
  std::string path;
  int64_t length = 0;  // exact: readers open by it
  SpecId partition_spec_id = 0;
  ManifestContent content = ManifestContent::kData;
  DataSequence sequence_number = 0;      // kUnassignedSequence until a list takes it up
  DataSequence min_sequence_number = 0;  // of its live entries; kUnassignedSequence likewise
  SnapshotId added_snapshot_id = 0;
  // Absent in old files: "unknown, not zero".
  std::optional<int64_t> added_files_count, existing_files_count, deleted_files_count;
  std::optional<int64_t> added_rows_count, existing_rows_count, deleted_rows_count;
  std::vector<FieldSummary> partitions;  // one per field of the spec, or none when not known
  std::optional<std::string> key_metadata;

  bool has_live_files() const { return added_files_count != 0 || existing_files_count != 0; }
  bool operator==(const ManifestFile&) const = default;
};

// Header entry of the manifests that are written here: the snapshot that added them.
constexpr char kSnapshotOfManifestKey[] = "sluice.snapshot-id";

// Field ids.
namespace manifest_field {
constexpr int32_t kStatus = 0, kSnapshotId = 1, kDataFile = 2, kSequenceNumber = 3, kFileSequenceNumber = 4;
constexpr int32_t kContent = 134, kFilePath = 100, kFileFormat = 101, kPartition = 102, kRecordCount = 103, kFileSize = 104;
constexpr int32_t kColumnSizes = 108, kValueCounts = 109, kNullValueCounts = 110, kNanValueCounts = 137, kLowerBounds = 125,
                  kUpperBounds = 128, kKeyMetadata = 131, kSplitOffsets = 132, kEqualityIds = 135, kSortOrderId = 140,
                  kReferencedDataFile = 143;
constexpr int32_t kManifestPath = 500, kManifestLength = 501, kPartitionSpecId = 502, kAddedSnapshotId = 503, kAddedFiles = 504,
                  kExistingFiles = 505, kDeletedFiles = 506, kPartitions = 507, kAddedRows = 512, kExistingRows = 513,
                  kDeletedRows = 514, kListSequenceNumber = 515, kMinSequenceNumber = 516, kListContent = 517, kListKeyMetadata = 519;
constexpr int32_t kContainsNull = 509, kLowerBound = 510, kUpperBound = 511, kContainsNan = 518;
}  // namespace manifest_field

// The Avro schemas of format version 2, as Java writes them. `partition`: PartitionType of the manifest's spec.
Json ManifestAvroSchema(const Type& partition);
Json ManifestListAvroSchema();

}  // namespace sluice::iceberg
