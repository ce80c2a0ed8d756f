// SPDX-License-Identifier: Apache-2.0
#include "iceberg/table_change.h"

#include <algorithm>
#include <array>

#include "iceberg/expire_snapshots.h"
#include "iceberg/internal/definition_change.h"
#include "iceberg/snapshot_history.h"

namespace sluice::iceberg {
namespace {

// Names that describe a metadata file and must not be stored in it (Java's TableProperties).
constexpr std::array<std::string_view, 9> kReservedProperties = {
    "format-version", "uuid", "snapshot-count", "current-snapshot-id", "current-snapshot-summary", "current-snapshot-timestamp-ms",
    "current-schema", "default-partition-spec", "default-sort-order"};

Result<void> CheckProperties(const TableChange& change) {
  for (const auto& [name, value] : change.set_properties) {
    if (std::find(kReservedProperties.begin(), kReservedProperties.end(), name) != kReservedProperties.end())
      return Error{ErrorCode::kInvalid, "property \"" + name + "\" is reserved"};
    if (std::find(change.remove_properties.begin(), change.remove_properties.end(), name) != change.remove_properties.end())
      return Error{ErrorCode::kInvalid, "property \"" + name + "\" is set and removed at once"};
  }
  return {};
}

Result<void> CheckAddedFiles(const TableMetadata& table, const SnapshotChange& change) {
  for (const AddedFile& added : change.added) {
    const PartitionSpec* spec = table.FindSpec(added.spec_id);
    if (spec == nullptr) return Error{ErrorCode::kInvalid, "the table has no partition spec " + std::to_string(added.spec_id)};
    if (added.file.path.empty()) return Error{ErrorCode::kInvalid, "an added file has no path"};
    Type partition = table.PartitionTypeOf(*spec);
    bool fits = added.file.partition.size() == partition.fields.size();
    for (size_t i = 0; fits && i < partition.fields.size(); i++)
      fits = IsNull(added.file.partition[i]) || Fits(added.file.partition[i], partition.fields[i].type);
    if (!fits) return Error{ErrorCode::kInvalid, "the partition of \"" + added.file.path + "\" does not fit spec " + std::to_string(added.spec_id)};
    if (added.file.content == FileContent::kEqualityDeletes && added.file.equality_ids.empty())
      return Error{ErrorCode::kInvalid, "equality deletes without columns in \"" + added.file.path + "\""};
  }
  return {};
}

// Walks back from main to `based_on`; whatever is not understood on the way counts as a conflict.
Result<void> CheckBasedOn(const TableMetadata& table, const SnapshotChange& change) {
  if (!change.based_on) return {};
  if (!table.current_snapshot_id) return Error{ErrorCode::kConflict, "the table is empty now", "plan again"};
  for (const Snapshot* at : AncestorsOf(table, *table.current_snapshot_id)) {
    if (at->snapshot_id == *change.based_on) return {};
    auto operation = at->summary.find("operation");
    bool is_append = operation != at->summary.end() && operation->second == "append";
    if (!is_append || change.refuse_new_rows)
      return Error{ErrorCode::kConflict, "snapshot " + std::to_string(at->snapshot_id) + " changed the table meanwhile", "plan again on the new snapshot"};
  }
  return Error{ErrorCode::kConflict, "snapshot " + std::to_string(*change.based_on) + " is no ancestor of main any more", "plan again"};
}

void MoveMain(TableMetadata& table, SnapshotId id, int64_t timestamp_ms) {
  table.current_snapshot_id = id;
  table.refs[std::string(kMainBranch)].snapshot_id = id;
  table.snapshot_log.push_back({timestamp_ms, id});
}

}  // namespace

bool TableChange::empty() const {
  return add_columns.empty() && !set_spec && set_properties.empty() && remove_properties.empty() && !snapshot && !set_current_snapshot &&
         !expire;
}

Result<void> CanApply(const TableMetadata& base, const TableChange& change) {
  if (base.format_version != kFormatVersionWritten)
    return Error{ErrorCode::kInvalid, "a table of format version " + std::to_string(base.format_version) + " is read only",
                 "upgrade it to version 2 with the engine that made it"};
  RETURN_IF_ERROR(CheckProperties(change));
  RETURN_IF_ERROR(CanApplyDefinition(base, change));
  if (change.snapshot && change.set_current_snapshot) return Error{ErrorCode::kInvalid, "a rollback adds no snapshot"};
  if (change.set_current_snapshot && base.FindSnapshot(*change.set_current_snapshot) == nullptr)
    return Error{ErrorCode::kInvalid, "the table has no snapshot " + std::to_string(*change.set_current_snapshot)};
  if (!change.snapshot) return {};
  RETURN_IF_ERROR(CheckAddedFiles(ApplyDefinition(base, change, base.last_updated_ms), *change.snapshot));
  return CheckBasedOn(base, *change.snapshot);
}

TableMetadata ApplyDefinition(const TableMetadata& base, const TableChange& change, int64_t now_ms) {
  TableMetadata next = base;
  // A clock that went back must not make files older than what they replace.
  next.last_updated_ms = std::max(now_ms, base.last_updated_ms);
  AddColumns(next, change.add_columns);
  if (change.set_spec) SetSpec(next, *change.set_spec);
  for (const auto& [name, value] : change.set_properties) next.properties[name] = value;
  for (const std::string& name : change.remove_properties) next.properties.erase(name);
  return next;
}

Result<TableMetadata> Apply(const TableMetadata& base, const TableChange& change, const Snapshot* made, int64_t now_ms) {
  CHECK((made != nullptr) == change.snapshot.has_value(), "the snapshot of another change is applied");
  TableMetadata next = ApplyDefinition(base, change, now_ms);
  if (made != nullptr) {
    CHECK(made->sequence_number > next.last_sequence_number, "sequence numbers grow");
    next.snapshots.push_back(*made);
    next.last_sequence_number = made->sequence_number;
    MoveMain(next, made->snapshot_id, made->timestamp_ms);
  }
  if (change.set_current_snapshot) MoveMain(next, *change.set_current_snapshot, next.last_updated_ms);
  if (change.expire) {
    ASSIGN_OR_RETURN(ExpiredRefs expired, SnapshotsToExpire(next, *change.expire, next.last_updated_ms));
    RemoveSnapshots(next, expired);
  }
  return next;
}

}  // namespace sluice::iceberg
