// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Which snapshots a table may forget. Source: Iceberg table spec, "Snapshot Retention Policy".

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/table_change.h"

namespace sluice::iceberg {

struct ExpiredRefs {
  std::set<SnapshotId> snapshots;
  std::vector<std::string> refs;  // branches and tags older than their own limit; never main
};

// Kept are: the head of each ref; on each branch, the ancestors that are young enough or among the newest few; unreferenced
// snapshots that are young enough; sources of cherry-picks. Everything else expires.
// kInvalid: gc.enabled is false, or a named snapshot is held by a ref or unknown.
Result<ExpiredRefs> SnapshotsToExpire(const TableMetadata& table, const SnapshotExpiry& expiry, int64_t now_ms);

// Takes them out of snapshots, refs and statistics; the snapshot log loses everything before its last expired entry.
void RemoveSnapshots(TableMetadata& table, const ExpiredRefs& expired);

}  // namespace sluice::iceberg
