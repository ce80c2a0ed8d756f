// SPDX-License-Identifier: Apache-2.0
#include "iceberg/snapshot_history.h"

#include <map>
#include <set>

#include "base/time.h"

namespace sluice::iceberg {

Result<const Snapshot*> SnapshotById(const TableMetadata& table, SnapshotId id) {
  if (const Snapshot* found = table.FindSnapshot(id)) return found;
  return Error{ErrorCode::kNotFound, "the table has no snapshot " + std::to_string(id), "it may have expired; its history lists those that are left"};
}

Result<const Snapshot*> SnapshotAt(const TableMetadata& table, int64_t timestamp_ms) {
  const SnapshotLogEntry* last = nullptr;
  for (const SnapshotLogEntry& entry : table.snapshot_log) {
    if (entry.timestamp_ms <= timestamp_ms) last = &entry;
  }
  if (last != nullptr) return SnapshotById(table, last->snapshot_id);
  return Error{ErrorCode::kNotFound, "the table has no snapshot as old as " + base::FormatRfc3339(Timestamp{timestamp_ms * kMicrosPerMilli}),
               "it was empty then, or its snapshots of that time have expired"};
}

Result<const Snapshot*> SnapshotOfRef(const TableMetadata& table, const std::string& name) {
  auto it = table.refs.find(name);
  if (it != table.refs.end()) return SnapshotById(table, it->second.snapshot_id);
  return Error{ErrorCode::kNotFound, "the table has no branch or tag \"" + name + "\""};
}

std::vector<const Snapshot*> AncestorsOf(const TableMetadata& table, SnapshotId id) {
  std::map<SnapshotId, const Snapshot*> left;  // not visited
  for (const Snapshot& snapshot : table.snapshots) left[snapshot.snapshot_id] = &snapshot;
  std::vector<const Snapshot*> ancestors;
  for (std::optional<SnapshotId> at = id; at.has_value();) {
    auto found = left.extract(*at);
    if (found.empty()) break;
    ancestors.push_back(found.mapped());
    at = found.mapped()->parent_snapshot_id;
  }
  return ancestors;
}

std::vector<HistoryEntry> History(const TableMetadata& table) {
  std::set<SnapshotId> ancestors;
  if (table.current_snapshot_id) {
    for (const Snapshot* snapshot : AncestorsOf(table, *table.current_snapshot_id)) ancestors.insert(snapshot->snapshot_id);
  }
  std::vector<HistoryEntry> history;
  for (const SnapshotLogEntry& entry : table.snapshot_log) {
    const Snapshot* snapshot = table.FindSnapshot(entry.snapshot_id);
    history.push_back({entry.timestamp_ms, entry.snapshot_id, snapshot != nullptr ? snapshot->parent_snapshot_id : std::nullopt,
                       ancestors.contains(entry.snapshot_id)});
  }
  return history;
}

}  // namespace sluice::iceberg
