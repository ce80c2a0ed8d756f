// SPDX-License-Identifier: Apache-2.0
#include "iceberg/expire_snapshots.h"

#include <algorithm>

#include "iceberg/snapshot_history.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kMaxSnapshotAgeMs = 432'000'000;  // 5 days, the format's default
constexpr int64_t kMinSnapshotsToKeep = 1;

struct Limits {
  int64_t older_than_ms;  // snapshots from here on are young
  int64_t keep_min;
};

Limits LimitsOf(const TableMetadata& table, const SnapshotExpiry& expiry, int64_t now_ms) {
  int64_t age = std::max<int64_t>(0, table.PropertyInt("history.expire.max-snapshot-age-ms", kMaxSnapshotAgeMs));
  int64_t keep = table.PropertyInt("history.expire.min-snapshots-to-keep", kMinSnapshotsToKeep);
  return {expiry.older_than_ms.value_or(now_ms - age), std::max<int64_t>(1, expiry.retain_last.value_or(keep))};
}

bool RefExpired(const TableMetadata& table, const std::string& name, const SnapshotRef& ref, int64_t now_ms) {
  if (name == kMainBranch) return false;
  int64_t age_max = ref.max_ref_age_ms.value_or(table.PropertyInt("history.expire.max-ref-age-ms", INT64_MAX));
  const Snapshot* head = table.FindSnapshot(ref.snapshot_id);
  return head == nullptr || now_ms - head->timestamp_ms > age_max;
}

void KeepBranch(const TableMetadata& table, const SnapshotRef& ref, Limits limits, int64_t now_ms, std::set<SnapshotId>& kept) {
  if (ref.max_snapshot_age_ms) limits.older_than_ms = now_ms - std::max<int64_t>(0, *ref.max_snapshot_age_ms);
  if (ref.min_snapshots_to_keep) limits.keep_min = *ref.min_snapshots_to_keep;
  int64_t count = 0;
  for (const Snapshot* at : AncestorsOf(table, ref.snapshot_id)) {
    if (count > 0 && count >= limits.keep_min && at->timestamp_ms < limits.older_than_ms) return;
    kept.insert(at->snapshot_id);
    count++;
  }
}

std::set<SnapshotId> Referenced(const TableMetadata& table, const std::vector<std::string>& gone_refs) {
  std::set<SnapshotId> ids;
  for (const auto& [name, ref] : table.refs) {
    if (std::find(gone_refs.begin(), gone_refs.end(), name) != gone_refs.end()) continue;
    ids.insert(ref.snapshot_id);
    if (!ref.is_branch) continue;
    for (const Snapshot* at : AncestorsOf(table, ref.snapshot_id)) ids.insert(at->snapshot_id);
  }
  return ids;
}

// The newest ancestor of main that carries `key`.
void KeepNewestWith(const TableMetadata& table, const std::string& key, std::set<SnapshotId>& kept) {
  if (!table.current_snapshot_id) return;
  for (const Snapshot* at : AncestorsOf(table, *table.current_snapshot_id)) {
    if (!at->summary.contains(key)) continue;
    kept.insert(at->snapshot_id);
    return;
  }
}

// A kept snapshot that was cherry-picked keeps the one it was picked from.
void KeepPicked(const TableMetadata& table, std::set<SnapshotId>& kept) {
  std::set<SnapshotId> sources;
  for (SnapshotId id : kept) {
    auto it = table.FindSnapshot(id)->summary.find("source-snapshot-id");
    if (it == table.FindSnapshot(id)->summary.end()) continue;
    for (const Snapshot& snapshot : table.snapshots) {
      if (std::to_string(snapshot.snapshot_id) == it->second) sources.insert(snapshot.snapshot_id);
    }
  }
  kept.merge(sources);
}

Result<void> ExpireNamed(const TableMetadata& table, const SnapshotExpiry& expiry, ExpiredRefs& expired) {
  for (SnapshotId id : expiry.snapshot_ids) {
    if (table.FindSnapshot(id) == nullptr) return Error{ErrorCode::kInvalid, "the table has no snapshot " + std::to_string(id)};
    for (const auto& [name, ref] : table.refs) {
      if (ref.snapshot_id == id) return Error{ErrorCode::kInvalid, "snapshot " + std::to_string(id) + " is held by \"" + name + "\""};
    }
    expired.snapshots.insert(id);
  }
  return {};
}

Json WithoutSnapshots(const Json& statistics, const std::set<SnapshotId>& gone) {
  if (!statistics.is_array()) return statistics;
  Json kept = Json::MakeArray();
  for (const Json& item : statistics.AsArray()) {
    if (!gone.contains(item["snapshot-id"].AsInt())) kept.Append(item);
  }
  return kept;
}

}  // namespace

Result<ExpiredRefs> SnapshotsToExpire(const TableMetadata& table, const SnapshotExpiry& expiry, int64_t now_ms) {
  if (!table.PropertyBool("gc.enabled", true))
    return Error{ErrorCode::kInvalid, "the table forbids expiry", "its property gc.enabled is false: another table may share its files"};
  Limits limits = LimitsOf(table, expiry, now_ms);
  ExpiredRefs expired;
  std::set<SnapshotId> kept;
  for (const auto& [name, ref] : table.refs) {
    if (RefExpired(table, name, ref, now_ms)) expired.refs.push_back(name);
    else if (ref.is_branch) KeepBranch(table, ref, limits, now_ms, kept);
    else kept.insert(ref.snapshot_id);
  }
  for (const std::string& key : expiry.keep_newest_with) KeepNewestWith(table, key, kept);
  std::set<SnapshotId> referenced = Referenced(table, expired.refs);
  for (const Snapshot& snapshot : table.snapshots) {
    bool young = snapshot.timestamp_ms >= limits.older_than_ms;
    if (!referenced.contains(snapshot.snapshot_id) && young) kept.insert(snapshot.snapshot_id);
  }
  KeepPicked(table, kept);
  for (const Snapshot& snapshot : table.snapshots) {
    if (!kept.contains(snapshot.snapshot_id)) expired.snapshots.insert(snapshot.snapshot_id);
  }
  RETURN_IF_ERROR(ExpireNamed(table, expiry, expired));
  return expired;
}

void RemoveSnapshots(TableMetadata& table, const ExpiredRefs& expired) {
  for (const std::string& name : expired.refs) table.refs.erase(name);
  if (expired.snapshots.empty()) return;
  std::erase_if(table.snapshots, [&](const Snapshot& s) { return expired.snapshots.contains(s.snapshot_id); });
  auto last_gone = std::find_if(table.snapshot_log.rbegin(), table.snapshot_log.rend(),
                                [&](const SnapshotLogEntry& entry) { return expired.snapshots.contains(entry.snapshot_id); });
  table.snapshot_log.erase(table.snapshot_log.begin(), last_gone.base());
  table.statistics = WithoutSnapshots(table.statistics, expired.snapshots);
  table.partition_statistics = WithoutSnapshots(table.partition_statistics, expired.snapshots);
}

}  // namespace sluice::iceberg
