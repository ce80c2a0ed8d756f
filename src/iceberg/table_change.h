// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// TableChange: what a commit does, as a value: Build -> CanApply -> Apply.
//
//   definition   columns, partition spec, properties   pure
//   snapshot     files in, files out                   SnapshotProducer writes manifests, then pure
//   expiry       old snapshots leave the metadata      pure; their files are deleted after the commit (unreachable_files.h)
//
// All of one change become visible in one metadata file or none does. Nothing here reads a disk or a clock.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

struct AddedFile {
  DataFile file;
  SpecId spec_id = 0;  // under which its partition value was made; need not be the default any more
};

// Files that enter and leave the branch "main". Both empty: a snapshot that only carries a summary and properties.
struct SnapshotChange {
  std::vector<AddedFile> added;
  std::vector<std::string> removed_paths;  // of data or delete files that are live; kConflict when one is not
  // "append", "replace", "overwrite", "delete"; chosen from the files when absent. Compaction says "replace".
  std::optional<std::string> operation;
  Properties summary;  // added to the standard entries
  // Added data files count as written at this number, so that newer equality deletes still reach them (compaction).
  std::optional<DataSequence> data_sequence;
  // The snapshot that the change was computed from. With it, kConflict when a later snapshot did more than append, or, with
  // `refuse_new_rows` (serializable DELETE, UPDATE, MERGE), when there is a later snapshot that is no compaction at all.
  std::optional<SnapshotId> based_on;
  bool refuse_new_rows = false;
};

struct NewColumn {
  std::string name;
  Type type;  // the ids in nested types are replaced by fresh ones
  std::string doc = {};
};

struct NewPartitionField {
  std::string column;  // full name
  Transform transform;
  std::string name = {};  // empty: column for identity, else column_transform ("time_hour", "id_bucket")
};

// Which snapshots leave, by the retention rules of the format (refs' own settings come first), and which refs, because they are too
// old. Defaults come from the properties history.expire.max-snapshot-age-ms, min-snapshots-to-keep and max-ref-age-ms.
struct SnapshotExpiry {
  std::optional<int64_t> older_than_ms;  // milliseconds since the epoch
  std::optional<int64_t> retain_last;
  std::vector<SnapshotId> snapshot_ids;  // these, too; kInvalid when a ref holds one
  // The newest snapshots whose summary has one of these keys stay, so that progress kept there outlives expiry.
  std::vector<std::string> keep_newest_with = {};
};

struct TableChange {
  std::vector<NewColumn> add_columns;
  std::optional<std::vector<NewPartitionField>> set_spec;
  Properties set_properties;
  std::vector<std::string> remove_properties;
  std::optional<SnapshotChange> snapshot;
  std::optional<SnapshotId> set_current_snapshot;  // rollback; excludes `snapshot`
  std::optional<SnapshotExpiry> expire;

  bool empty() const;
};

// kInvalid: the change contradicts the table (a column exists, an unknown spec, a reserved property name, a format version that is
// not written). kConflict: the table moved since `based_on`.
Result<void> CanApply(const TableMetadata& base, const TableChange& change);

// Columns, spec and properties. REQUIRES: CanApply. `now_ms`: wall time; the result never goes back in time.
TableMetadata ApplyDefinition(const TableMetadata& base, const TableChange& change, int64_t now_ms);

// The whole change. `made`: what SnapshotProducer made of change.snapshot on the same base; null without one.
// Fails as SnapshotsToExpire does.
Result<TableMetadata> Apply(const TableMetadata& base, const TableChange& change, const Snapshot* made, int64_t now_ms);

// The first metadata of a table: fresh field ids in `schema` order, spec fields numbered from 1000.
struct NewTable {
  std::string table_uuid;
  std::string location;
  std::vector<NestedField> fields;  // ids are kept if `keep_field_ids`, else given anew
  bool keep_field_ids = false;
  std::vector<NewPartitionField> partition;
  Properties properties;
};
// kInvalid: as CanApply, and for schemas that ValidateSchema refuses.
Result<TableMetadata> MakeTableMetadata(const NewTable& table, int64_t now_ms);

}  // namespace sluice::iceberg
