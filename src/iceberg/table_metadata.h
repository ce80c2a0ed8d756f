// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// TableMetadata: one metadata.json as a value. A table's state is exactly one of these; a commit replaces it by the next.
// Source: Iceberg table spec, "Table Metadata", "Snapshots", appendix C.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "iceberg/partition_spec.h"
#include "iceberg/schema.h"

namespace sluice::iceberg {

constexpr int32_t kFormatVersionWritten = 2;
constexpr std::string_view kMainBranch = "main";
// What a metadata file may have after decompression; more is refused.
constexpr size_t kMetadataBytesMax = size_t{1} << 30;

using Properties = std::map<std::string, std::string>;

struct Snapshot {
  SnapshotId snapshot_id = 0;
  std::optional<SnapshotId> parent_snapshot_id;
  DataSequence sequence_number = 0;  // 0: made under format version 1
  int64_t timestamp_ms = 0;
  std::string manifest_list;           // URI; empty only in format version 1
  std::vector<std::string> manifests;  // format version 1 without a list
  std::optional<SchemaId> schema_id;
  Properties summary;     // with "operation"; empty when there is none
  Json::Object unknown;  // members of other versions, written back unchanged

  bool operator==(const Snapshot&) const = default;
};

struct SnapshotRef {
  SnapshotId snapshot_id = 0;
  bool is_branch = true;  // else a tag
  std::optional<int64_t> min_snapshots_to_keep;
  std::optional<int64_t> max_snapshot_age_ms;
  std::optional<int64_t> max_ref_age_ms;

  bool operator==(const SnapshotRef&) const = default;
};

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  SnapshotId snapshot_id = 0;
  bool operator==(const SnapshotLogEntry&) const = default;
};

struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file;
  bool operator==(const MetadataLogEntry&) const = default;
};

struct TableMetadata {
  int32_t format_version = kFormatVersionWritten;
  std::string table_uuid;
  std::string location;
  DataSequence last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  FieldId last_column_id = 0;
  std::vector<TableSchema> schemas;
  SchemaId current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs;
  SpecId default_spec_id = 0;
  FieldId last_partition_id = kPartitionFieldIdFirst - 1;
  std::vector<SortOrder> sort_orders;
  int32_t default_sort_order_id = 0;
  Properties properties;
  std::optional<SnapshotId> current_snapshot_id;  // always what the branch "main" says
  std::vector<Snapshot> snapshots;
  std::vector<SnapshotLogEntry> snapshot_log;  // when main moved, oldest first
  std::vector<MetadataLogEntry> metadata_log;  // files before this one, oldest first
  std::map<std::string, SnapshotRef> refs;
  Json statistics;            // as read; entries name their "snapshot-id"
  Json partition_statistics;  // likewise
  Json::Object unknown;       // other members, written back unchanged

  // REQUIRES: the ids of a metadata that was read or made by this folder exist.
  const TableSchema& schema() const;
  const PartitionSpec& spec() const;
  const SortOrder& sort_order() const;

  // Null when there is none. Pointers live as long as this is not changed.
  const TableSchema* FindSchema(SchemaId id) const;
  const PartitionSpec* FindSpec(SpecId id) const;
  const Snapshot* FindSnapshot(SnapshotId id) const;
  const Snapshot* current_snapshot() const;
  // PartitionType of a spec; a source column that the current schema lost is looked up in older schemas.
  Type PartitionTypeOf(const PartitionSpec& spec) const;

  // The property's text, number (the default when it is no number) or truth; the default when it is not set.
  std::string Property(const std::string& name, std::string_view otherwise) const;
  int64_t PropertyInt(const std::string& name, int64_t otherwise) const;
  bool PropertyBool(const std::string& name, bool otherwise) const;
  bool operator==(const TableMetadata&) const = default;
};

// Reads a metadata file, plain or gzip. `file` only names it in errors.
// kCorruption: not JSON, a member is missing, of a wrong type or contradicts another, or it is not what was written here. kInvalid: a format version that is
// not supported (3 and later), or a type of such a version.
Result<TableMetadata> ParseTableMetadata(std::string_view bytes, const std::string& file);

// One line of JSON. What was read and not understood is in it.
std::string SerializeTableMetadata(const TableMetadata& metadata);

Json SnapshotToJson(const Snapshot& snapshot, int32_t format_version);

}  // namespace sluice::iceberg
