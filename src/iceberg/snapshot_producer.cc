// SPDX-License-Identifier: Apache-2.0
#include "iceberg/snapshot_producer.h"

#include "base/bytes.h"
#include "iceberg/internal/manifest_groups.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/snapshot_summary.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kManifestTargetBytes = 8 << 20;

size_t TargetBytes(const TableMetadata& table) {
  return static_cast<size_t>(std::max<int64_t>(1, table.PropertyInt("commit.manifest.target-size-bytes", kManifestTargetBytes)));
}

ManifestContent ContentOf(const DataFile& file) {
  return file.content == FileContent::kData ? ManifestContent::kData : ManifestContent::kDeletes;
}

// An entry of an older snapshot as it stands in a manifest that is written again.
ManifestEntry AsExisting(ManifestEntry entry) {
  entry.status = EntryStatus::kExisting;
  return entry;
}

}  // namespace

std::string MetadataDirectory(const TableMetadata& table) {
  std::string directory = table.Property("write.metadata.path", table.location + "/metadata");
  while (directory.ends_with('/')) directory.pop_back();
  return directory;
}

SnapshotProducer::SnapshotProducer(io::Env env, const SnapshotChange& change)
    : env_(env), change_(change), removed_paths_(change.removed_paths.begin(), change.removed_paths.end()), commit_uuid_(env.random.NextUuid()) {}

std::string SnapshotProducer::Sync() {
  std::string sync;
  base::AppendLittle(sync, env_.random.Next64());
  base::AppendLittle(sync, env_.random.Next64());
  return sync;
}

// Kept over attempts: the new manifests carry it.
void SnapshotProducer::ChooseSnapshotId(const TableMetadata& table) {
  while (snapshot_id_ == 0 || (attempts_ == 0 && table.FindSnapshot(snapshot_id_) != nullptr))
    snapshot_id_ = static_cast<SnapshotId>(env_.random.Next64() & INT64_MAX);
}

std::string SnapshotProducer::NextManifestUri(const TableMetadata& table) {
  return MetadataDirectory(table) + "/" + commit_uuid_ + "-m" + std::to_string(manifests_written_++) + ".avro";
}

Result<ManifestFile> SnapshotProducer::Write(const TableMetadata& table, WrittenManifest written) {
  written.file.path = NextManifestUri(table);
  written_.insert(written.file.path);
  RETURN_IF_ERROR(io::WriteObject(env_.objects, written.file.path, written.bytes));
  return std::move(written.file);
}

Result<void> SnapshotProducer::WriteNewManifests(const TableMetadata& table) {
  std::map<std::pair<SpecId, ManifestContent>, std::vector<const AddedFile*>> groups;
  for (const AddedFile& added : change_.added) groups[{added.spec_id, ContentOf(added.file)}].push_back(&added);
  std::vector<ManifestFile> manifests;
  for (const auto& [key, files] : groups) {
    for (size_t at = 0; at < files.size();) {
      ManifestWriter writer(table, key.first, key.second, snapshot_id_, Sync());
      do {  // one at least: the schema in front may be as large as what somebody wants a manifest to be
        ManifestEntry entry;
        entry.file = files[at++]->file;
        if (key.second == ManifestContent::kData) entry.sequence_number = change_.data_sequence;
        writer.Add(entry);
      } while (at < files.size() && writer.bytes() < TargetBytes(table));
      ASSIGN_OR_RETURN(ManifestFile manifest, Write(table, writer.Finish()));
      manifests.push_back(std::move(manifest));
    }
  }
  new_manifests_ = std::move(manifests);
  return {};
}

Result<void> SnapshotProducer::CheckNotCommitted(const TableMetadata& table, const std::vector<ManifestFile>& before) {
  std::set<std::string_view> added;
  for (const AddedFile& file : change_.added) added.insert(file.file.path);
  for (const ManifestFile& manifest : before) {
    bool is_known = !seen_manifests_.insert(manifest.path).second;
    if (attempts_ == 1 || is_known || added.empty()) continue;
    ASSIGN_OR_RETURN(auto entries, ReadManifest(env_.objects, manifest, table));
    for (const ManifestEntry& entry : entries) {
      if (entry.is_live() && added.contains(entry.file.path))
        return Error{ErrorCode::kConflict, "\"" + entry.file.path + "\" is in the table already", "read the table's progress again"};
    }
  }
  return {};
}

Result<const SnapshotProducer::Rewritten*> SnapshotProducer::Rewrite(const TableMetadata& table, const ManifestFile& manifest) {
  if (auto it = rewritten_.find(manifest.path); it != rewritten_.end()) return &it->second;
  Rewritten result{manifest, {}};
  ASSIGN_OR_RETURN(auto entries, ReadManifest(env_.objects, manifest, table));
  for (const ManifestEntry& entry : entries) {
    if (entry.is_live() && removed_paths_.contains(entry.file.path)) result.removed.push_back({entry.file, manifest.partition_spec_id});
  }
  if (!result.removed.empty()) {
    ManifestWriter writer(table, manifest.partition_spec_id, manifest.content, snapshot_id_, Sync());
    for (ManifestEntry& entry : entries) {
      if (!entry.is_live()) continue;
      entry = AsExisting(std::move(entry));
      if (removed_paths_.contains(entry.file.path)) {
        entry.status = EntryStatus::kDeleted;
        entry.snapshot_id = snapshot_id_;
      }
      writer.Add(entry);
    }
    ASSIGN_OR_RETURN(result.manifest, Write(table, writer.Finish()));
  }
  return &rewritten_.insert_or_assign(manifest.path, std::move(result)).first->second;
}

Result<std::vector<ManifestFile>> SnapshotProducer::WithoutRemoved(const TableMetadata& table, std::vector<ManifestFile> before) {
  removed_.clear();
  if (removed_paths_.empty()) return before;
  std::set<std::string> left = removed_paths_;
  for (ManifestFile& manifest : before) {
    if (!manifest.has_live_files()) continue;
    ASSIGN_OR_RETURN(const Rewritten* rewritten, Rewrite(table, manifest));
    for (const AddedFile& file : rewritten->removed) left.erase(file.file.path);
    removed_.insert(removed_.end(), rewritten->removed.begin(), rewritten->removed.end());
    manifest = rewritten->manifest;
  }
  if (left.empty()) return before;
  return Error{ErrorCode::kConflict, "\"" + *left.begin() + "\" is not in the table any more", "plan again on the new snapshot"};
}

Result<ManifestFile> SnapshotProducer::MergeGroup(const TableMetadata& table, const std::vector<ManifestFile>& group) {
  std::string key;
  for (const ManifestFile& manifest : group) key += manifest.path + "\n";
  if (auto it = merged_.find(key); it != merged_.end()) return it->second;
  ManifestWriter writer(table, group[0].partition_spec_id, group[0].content, snapshot_id_, Sync());
  for (const ManifestFile& manifest : group) {
    ASSIGN_OR_RETURN(auto entries, ReadManifest(env_.objects, manifest, table));
    for (ManifestEntry& entry : entries) {
      bool is_ours = entry.snapshot_id == snapshot_id_ && entry.status != EntryStatus::kExisting;
      if (!entry.is_live() && !is_ours) continue;
      if (!is_ours) entry = AsExisting(std::move(entry));
      // A manifest of this commit has no number yet, and its added entries inherit in the merged one, too.
      if (entry.sequence_number == kUnassignedSequence) entry.sequence_number.reset();
      writer.Add(entry);
    }
  }
  ASSIGN_OR_RETURN(ManifestFile merged, Write(table, writer.Finish()));
  merged_[key] = merged;
  return merged;
}

Result<std::vector<ManifestFile>> SnapshotProducer::Merge(const TableMetadata& table, std::vector<ManifestFile> manifests) {
  std::vector<ManifestFile> merged;
  for (std::vector<ManifestFile>& group : GroupManifests(table, std::move(manifests))) {
    if (group.size() == 1) {
      merged.push_back(std::move(group[0]));
      continue;
    }
    ASSIGN_OR_RETURN(ManifestFile one, MergeGroup(table, group));
    merged.push_back(std::move(one));
  }
  return merged;
}

Result<void> SnapshotProducer::WriteList(const TableMetadata& table, Snapshot& snapshot, const std::vector<ManifestFile>& manifests) {
  snapshot.manifest_list = MetadataDirectory(table) + "/snap-" + std::to_string(snapshot_id_) + "-" + std::to_string(attempts_) + "-" +
                           commit_uuid_ + ".avro";
  used_ = {snapshot.manifest_list};
  for (const ManifestFile& manifest : manifests) used_.insert(manifest.path);
  written_.insert(snapshot.manifest_list);
  return io::WriteObject(env_.objects, snapshot.manifest_list, SerializeManifestList(snapshot, manifests, Sync()));
}

Result<Snapshot> SnapshotProducer::Produce(const TableMetadata& table) {
  ChooseSnapshotId(table);
  attempts_++;
  const Snapshot* parent = table.current_snapshot();
  std::vector<ManifestFile> before;
  if (parent != nullptr) {
    ASSIGN_OR_RETURN(before, ReadManifestList(env_.objects, *parent));
  }
  RETURN_IF_ERROR(CheckNotCommitted(table, before));
  if (new_manifests_.empty()) RETURN_IF_ERROR(WriteNewManifests(table));
  ASSIGN_OR_RETURN(before, WithoutRemoved(table, std::move(before)));
  std::vector<ManifestFile> manifests = new_manifests_;
  for (ManifestFile& manifest : before) {
    if (manifest.has_live_files() || manifest.added_snapshot_id == snapshot_id_) manifests.push_back(std::move(manifest));
  }
  ASSIGN_OR_RETURN(manifests, Merge(table, std::move(manifests)));

  Snapshot snapshot;
  snapshot.snapshot_id = snapshot_id_;
  if (parent != nullptr) snapshot.parent_snapshot_id = parent->snapshot_id;
  snapshot.sequence_number = table.last_sequence_number + 1;
  snapshot.timestamp_ms = table.last_updated_ms;
  snapshot.schema_id = table.current_schema_id;
  snapshot.summary = MakeSummary(change_, removed_, parent == nullptr ? nullptr : &parent->summary);
  RETURN_IF_ERROR(WriteList(table, snapshot, manifests));
  return snapshot;
}

// What cannot be removed stays as an orphan: it is referenced by nothing and found by whoever looks for orphans.
void SnapshotProducer::RemoveIf(const std::set<std::string>& used) {
  for (const std::string& uri : written_) {
    if (used.contains(uri)) continue;
    if (auto removed = env_.objects.Remove(uri); !removed.ok())
      env_.log.Warn("metadata object left behind", {{"uri", uri}, {"error", removed.error().message}});
  }
}

void SnapshotProducer::RemoveUnused() { RemoveIf(used_); }
void SnapshotProducer::RemoveAll() { RemoveIf({}); }

}  // namespace sluice::iceberg
