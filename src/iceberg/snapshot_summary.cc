// SPDX-License-Identifier: Apache-2.0
#include "iceberg/snapshot_summary.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace sluice::iceberg {
namespace {

// What enters or what leaves.
struct Counts {
  int64_t data_files = 0, delete_files = 0, position_delete_files = 0, equality_delete_files = 0;
  int64_t records = 0, files_size = 0, position_deletes = 0, equality_deletes = 0;
};

Counts Count(const std::vector<AddedFile>& files) {
  Counts counts;
  for (const AddedFile& added : files) {
    const DataFile& file = added.file;
    counts.files_size += file.file_size_bytes;
    if (file.content == FileContent::kData) {
      counts.data_files++;
      counts.records += file.record_count;
      continue;
    }
    bool by_position = file.content == FileContent::kPositionDeletes;
    counts.delete_files++;
    (by_position ? counts.position_delete_files : counts.equality_delete_files)++;
    (by_position ? counts.position_deletes : counts.equality_deletes) += file.record_count;
  }
  return counts;
}

// A larger total was not counted by anybody.
constexpr int64_t kTotalMax = int64_t{1} << 60;

struct CounterName {
  int64_t Counts::*count;
  const char* added;
  const char* removed;
  const char* total;  // null: the format has no such total
};

constexpr CounterName kCounters[] = {
    {&Counts::data_files, "added-data-files", "deleted-data-files", "total-data-files"},
    {&Counts::delete_files, "added-delete-files", "removed-delete-files", "total-delete-files"},
    {&Counts::position_delete_files, "added-position-delete-files", "removed-position-delete-files", nullptr},
    {&Counts::equality_delete_files, "added-equality-delete-files", "removed-equality-delete-files", nullptr},
    {&Counts::records, "added-records", "deleted-records", "total-records"},
    {&Counts::files_size, "added-files-size", "removed-files-size", "total-files-size"},
    {&Counts::position_deletes, "added-position-deletes", "removed-position-deletes", "total-position-deletes"},
    {&Counts::equality_deletes, "added-equality-deletes", "removed-equality-deletes", "total-equality-deletes"},
};

// Nothing: the parent does not tell.
std::optional<int64_t> TotalOf(const Properties* parent, const char* name) {
  if (parent == nullptr) return 0;
  auto it = parent->find(name);
  if (it == parent->end()) return std::nullopt;
  int64_t total = 0;
  const char* end = it->second.data() + it->second.size();
  auto [at, error] = std::from_chars(it->second.data(), end, total);
  return error == std::errc() && at == end && total <= kTotalMax ? std::optional<int64_t>(total) : std::nullopt;
}

size_t ChangedPartitions(const std::vector<AddedFile>& added, const std::vector<AddedFile>& removed) {
  std::map<SpecId, std::set<PartitionValue, PartitionOrder>> partitions;
  for (const auto* files : {&added, &removed}) {
    for (const AddedFile& file : *files) partitions[file.spec_id].insert(file.file.partition);
  }
  size_t count = 0;
  for (const auto& [spec_id, values] : partitions) count += values.size();
  return count;
}

}  // namespace

std::string ChooseOperation(const SnapshotChange& change) {
  if (change.operation) return *change.operation;
  Counts added = Count(change.added);
  if (change.removed_paths.empty()) return added.delete_files == 0 ? "append" : added.data_files == 0 ? "delete" : "overwrite";
  return change.added.empty() ? "delete" : "overwrite";
}

Properties MakeSummary(const SnapshotChange& change, const std::vector<AddedFile>& removed, const Properties* parent) {
  Properties summary;
  summary["operation"] = ChooseOperation(change);
  Counts in = Count(change.added), out = Count(removed);
  for (const CounterName& name : kCounters) {
    int64_t added = in.*name.count, gone = out.*name.count;
    if (added > 0) summary[name.added] = std::to_string(added);
    if (gone > 0) summary[name.removed] = std::to_string(gone);
    if (name.total == nullptr) continue;
    auto before = TotalOf(parent, name.total);
    if (before && *before + added - gone >= 0) summary[name.total] = std::to_string(*before + added - gone);
  }
  summary["changed-partition-count"] = std::to_string(ChangedPartitions(change.added, removed));
  summary.insert(change.summary.begin(), change.summary.end());
  return summary;
}

}  // namespace sluice::iceberg
