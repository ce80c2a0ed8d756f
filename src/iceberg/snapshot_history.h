// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Looking back: snapshots by id, time or name, and how main came to be.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// kNotFound: the table has no such snapshot (any more). Pointers live as long as `table` is not changed.
Result<const Snapshot*> SnapshotById(const TableMetadata& table, SnapshotId id);
// What main was at `timestamp_ms`, by the snapshot log (not by parents: a rollback is part of history).
Result<const Snapshot*> SnapshotAt(const TableMetadata& table, int64_t timestamp_ms);
// The head of a branch or a tag.
Result<const Snapshot*> SnapshotOfRef(const TableMetadata& table, const std::string& name);

// `id` and its ancestors that the table still has, newest first. Ends where parents would go round in a circle.
std::vector<const Snapshot*> AncestorsOf(const TableMetadata& table, SnapshotId id);

struct HistoryEntry {
  int64_t made_current_at_ms = 0;
  SnapshotId snapshot_id = 0;
  std::optional<SnapshotId> parent_id;
  bool is_current_ancestor = false;  // false: rolled back
};
// The snapshot log, oldest first.
std::vector<HistoryEntry> History(const TableMetadata& table);

}  // namespace sluice::iceberg
