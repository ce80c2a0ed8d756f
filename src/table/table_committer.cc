// SPDX-License-Identifier: Apache-2.0
#include "table/table_committer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "iceberg/expire_snapshots.h"
#include "iceberg/unreachable_files.h"
#include "table/event_schema.h"

namespace sluice::table {
namespace {

iceberg::NewTable NewEventTable(const Table& table, const FeedProgress& progress) {
  const auto schema = EventTableSchema();
  iceberg::NewTable out;
  out.fields = schema.fields;
  out.keep_field_ids = true;
  for (auto& field : table.partitioning().fields) out.partition.push_back({schema.FullName(field.source_id), field.transform, field.name});
  out.properties = EventTableProperties();
  out.properties[FeedPropertyName(table.topic_name())] = FormatFeedProgress(progress);
  return out;
}

// A commit that moves progress, in the property and repeated in the snapshot's summary.
iceberg::TableChange ProgressChange(const std::string& topic, const FeedProgress& next) {
  const auto text = FormatFeedProgress(next);
  iceberg::TableChange change;
  change.set_properties[FeedPropertyName(topic)] = text;
  change.snapshot.emplace();
  change.snapshot->summary[FeedPropertyName(topic)] = text;
  return change;
}

// Where a feed stands before its first row.
FeedProgress EmptyProgress(const Table& table, const std::string& journal_id) {
  FeedProgress out;
  out.journal_id = journal_id;
  for (auto& [partition, offset] : table.topic().config().first_offsets) out.partitions[partition] = {offset, 0};
  return out;
}

// Files are written by field id: a table that somebody else made must have the event columns where they are looked for.
Result<void> CheckEventColumns(const TableName& name, const iceberg::TableSchema& schema) {
  for (auto& expected : EventTableSchema().fields) {
    auto* by_id = schema.FindById(expected.id);
    auto* by_name = schema.FindByName(expected.name);
    if (by_id == by_name && (by_id == nullptr || by_id->type == expected.type)) continue;
    return Error{ErrorCode::kInvalid,
                 "the column \"" + expected.name + "\" of " + name.ToString() + " is not the one that events are written to",
                 "give it field id " + std::to_string(expected.id) + " and its type, or drop the table: a new one is made"};
  }
  return {};
}

std::set<iceberg::SnapshotId> SnapshotsOf(const iceberg::TableMetadata& metadata) {
  std::set<iceberg::SnapshotId> out;
  for (auto& snapshot : metadata.snapshots) out.insert(snapshot.snapshot_id);
  return out;
}

}  // namespace

TableCommitter::TableCommitter(iceberg::Catalog& catalog, io::Env env, TableRegistry& registry, Table& table, std::string journal_id,
                               std::optional<KnownTable> known)
    : catalog_(catalog), env_(env), registry_(registry), table_(table), journal_id_(std::move(journal_id)), known_(std::move(known)) {}

FeedSource TableCommitter::Source() const { return {table_.topic_name(), journal_id_, table_.topic().config().first_offsets}; }

Error TableCommitter::Paused(const std::string& why) const {
  return {ErrorCode::kInvalid, "the table " + table_.name().ToString() + " " + why,
          "`sluice table resume " + table_.name().ToString() + " --from table|hot|log` says where to go on; --help tells what each means"};
}

Result<std::optional<iceberg::Table>> TableCommitter::Find() {
  auto loaded = catalog_.LoadTable({table_.name().table_namespace, table_.name().name});
  if (!loaded.ok() && loaded.error().code == ErrorCode::kNotFound) return std::optional<iceberg::Table>();
  if (!loaded.ok()) return loaded.error();
  return std::optional(std::move(*loaded));
}

Result<iceberg::Table> TableCommitter::Create(const FeedProgress& progress) {
  const iceberg::TableName name{table_.name().table_namespace, table_.name().name};
  RETURN_IF_ERROR(catalog_.CreateNamespace(name.table_namespace));
  auto created = catalog_.CreateTable(name, NewEventTable(table_, progress));
  if (created.ok()) env_.log.Info("table created", {{"table", name.ToString()}, {"location", created->metadata->location}});
  if (created.ok() || (created.error().code != ErrorCode::kExists && created.error().code != ErrorCode::kCommitUnknown)) return created;
  // Another process was first, or the outcome is unknown: what the catalog says now is the truth. Of an unknown outcome it may
  // still say "nothing", because the table is yet to come or never will: the next Load finds out.
  auto loaded = catalog_.LoadTable(name);
  if (!loaded.ok() && loaded.error().code == ErrorCode::kNotFound && created.error().code == ErrorCode::kCommitUnknown)
    return Error{ErrorCode::kCommitUnknown, "whether the table " + name.ToString() + " was created is not known", "it is tried again"};
  return loaded;
}

Result<iceberg::Table> TableCommitter::LoadOrCreate() {
  auto loaded = catalog_.LoadTable({table_.name().table_namespace, table_.name().name});
  if (loaded.ok() || loaded.error().code != ErrorCode::kNotFound) return loaded;
  if (known_) return Paused("is gone from the catalog: " + loaded.error().message);
  return Create(EmptyProgress(table_, journal_id_));
}

// Progress never goes back by itself: either the log remembers more, or the table's own snapshots do.
Result<void> TableCommitter::CheckNotBehind(const iceberg::TableMetadata& metadata, const FeedProgress& progress) const {
  auto behind = [&](const FeedProgress& other) {
    if (other.journal_id != progress.journal_id) return false;
    return std::any_of(other.partitions.begin(), other.partitions.end(), [&](auto& p) {
      auto at = progress.partitions.find(p.first);
      return p.second.next > (at == progress.partitions.end() ? log::Offset(0) : at->second.next);
    });
  };
  if (known_ && behind(known_->progress)) return Paused("lost progress: its property says less than was committed to it");
  if (auto content = ContentProgress(metadata, table_.topic_name()); content && behind(*content))
    return Paused("lost progress: its property says less than its newest snapshot");
  return {};
}

std::shared_ptr<const TableVersion> TableCommitter::Accept(const iceberg::Table& loaded, FeedProgress progress) {
  current_ = loaded;
  known_ = KnownTable{loaded.metadata->table_uuid, progress};
  auto version = std::make_shared<TableVersion>();
  version->metadata = *loaded.metadata;
  version->metadata_location = loaded.metadata_location;
  version->progress = std::move(progress);
  return version;
}

void TableCommitter::Publish(const std::shared_ptr<const TableVersion>& version) {
  const auto replaced = registry_.Version(table_);
  std::erase_if(readers_, [](auto& readers) { return readers.alive.expired(); });
  Readers readers{registry_.Publish(table_, version), {}};
  if (replaced != nullptr) readers.snapshots = SnapshotsOf(replaced->metadata);
  readers_.push_back(std::move(readers));
}

// What the version has that is shown, and earlier ones that somebody reads, but for what an expiry left to them.
std::set<iceberg::SnapshotId> TableCommitter::SnapshotsRead() const {
  std::set<iceberg::SnapshotId> out;
  if (const auto shown = registry_.Version(table_)) out = SnapshotsOf(shown->metadata);
  for (auto& readers : readers_)
    if (!readers.alive.expired()) out.insert(readers.snapshots.begin(), readers.snapshots.end());
  for (auto& leaving : leaving_)
    for (auto id : leaving.snapshots) out.erase(id);
  return out;
}

std::shared_ptr<const TableVersion> TableCommitter::AcceptAndPublish(const iceberg::Table& loaded, FeedProgress progress) {
  auto version = Accept(loaded, std::move(progress));
  Publish(version);
  return version;
}

Result<std::shared_ptr<const TableVersion>> TableCommitter::Load(const ProgressCheck& check) {
  ASSIGN_OR_RETURN(auto loaded, LoadOrCreate());
  const auto& uuid = loaded.metadata->table_uuid;
  if (known_ && uuid != known_->uuid) return Paused("is another one than before: its uuid was " + known_->uuid + ", it is " + uuid);
  ASSIGN_OR_RETURN(auto progress, CheckProgress(*loaded.metadata));
  if (check) RETURN_IF_ERROR(check(progress));
  RETURN_IF_ERROR(CheckNotBehind(*loaded.metadata, progress));
  return AcceptAndPublish(loaded, std::move(progress));
}

Result<std::shared_ptr<const TableVersion>> TableCommitter::AppendUnpublished(std::vector<iceberg::AddedFile> files,
                                                                              const PartitionOffsets& from, const FeedProgress& next) {
  CHECK(current_.metadata != nullptr, "an append to a table that was not loaded");
  auto change = ProgressChange(table_.topic_name(), next);
  change.snapshot->added = std::move(files);
  auto unmoved = [&](const iceberg::TableMetadata& base) -> Result<void> {
    ASSIGN_OR_RETURN(auto progress, CheckProgress(base));
    if (SameOffsets(progress.offsets(), from)) return {};
    return Error{ErrorCode::kConflict, "the progress of " + table_.name().ToString() + " is not where this commit starts",
                 "another owner moved it"};
  };
  auto committed = catalog_.Commit(current_, change, unmoved);
  if (!committed.ok() && committed.error().code == ErrorCode::kNotFound) {
    // Another owner that moved the table on may have expired what this commit starts from.
    ASSIGN_OR_RETURN(auto now, Find());
    if (now && now->metadata->table_uuid == current_.metadata->table_uuid && now->metadata_location != current_.metadata_location)
      return Error{
          ErrorCode::kConflict, "the table " + table_.name().ToString() + " was moved by another owner: " + committed.error().message, {}};
    return Paused("is gone from the catalog, or another one has its name: " + committed.error().message);
  }
  if (!committed.ok()) return committed.error();
  return Accept(*committed, next);
}

Result<std::shared_ptr<const TableVersion>> TableCommitter::Append(std::vector<iceberg::AddedFile> files, const PartitionOffsets& from,
                                                                   const FeedProgress& next) {
  ASSIGN_OR_RETURN(auto version, AppendUnpublished(std::move(files), from, next));
  Publish(version);
  return version;
}

Result<std::shared_ptr<const TableVersion>> TableCommitter::Adopt(const std::optional<iceberg::Table>& found,
                                                                  const FeedProgress& progress) {
  if (!found) {
    ASSIGN_OR_RETURN(auto created, Create(progress));
    return Accept(created, progress);
  }
  RETURN_IF_ERROR(CheckEventColumns(table_.name(), found->metadata->schema()));
  auto unmoved = [&](const iceberg::TableMetadata& base) -> Result<void> {
    if (base == *found->metadata) return {};
    return Error{ErrorCode::kConflict, "somebody changed the table " + table_.name().ToString() + " meanwhile",
                 "look at it and resume it again"};
  };
  ASSIGN_OR_RETURN(auto committed, catalog_.Commit(*found, ProgressChange(table_.topic_name(), progress), unmoved));
  return Accept(committed, progress);
}

Result<void> TableCommitter::ExpireSnapshots(const SnapshotRetention& retention) {
  CHECK(current_.metadata != nullptr, "expiry on a table that was not loaded");
  RETURN_IF_ERROR(RemoveUnread());
  iceberg::TableChange change;
  change.expire.emplace();
  change.expire->older_than_ms = (env_.clock.Now().us - retention.age_us_max) / kMicrosPerMilli;
  change.expire->retain_last = retention.snapshots_min;
  change.expire->keep_newest_with = {FeedPropertyName(table_.topic_name())};
  ASSIGN_OR_RETURN(auto expired, iceberg::SnapshotsToExpire(*current_.metadata, *change.expire, env_.clock.Now().us / kMicrosPerMilli));
  if (expired.snapshots.empty() && expired.refs.empty()) return {};
  const auto before = current_.metadata;
  // Publishing another owner's progress unchecked would show its rows as ours, and let the log forget ours.
  auto unmoved = [&](const iceberg::TableMetadata& base) -> Result<void> {
    ASSIGN_OR_RETURN(auto progress, CheckProgress(base));
    if (known_ && progress == known_->progress) return {};
    return Error{ErrorCode::kConflict, "the progress of " + table_.name().ToString() + " was moved by another owner",
                 "the next commit looks at it"};
  };
  ASSIGN_OR_RETURN(auto committed, catalog_.Commit(current_, change, unmoved));
  ASSIGN_OR_RETURN(auto progress, CheckProgress(*committed.metadata));
  AcceptAndPublish(committed, std::move(progress));
  ASSIGN_OR_RETURN(auto unreachable, iceberg::ListUnreachable(env_.objects, *before, *committed.metadata));
  Leaving leaving{readers_, SnapshotsOf(*before), {}};
  for (auto& snapshot : committed.metadata->snapshots) leaving.snapshots.erase(snapshot.snapshot_id);
  // In this order what a crash leaves can still be found from the lists.
  for (auto* uris : {&unreachable.data_files, &unreachable.manifests, &unreachable.manifest_lists, &unreachable.statistics_files})
    leaving.uris.insert(leaving.uris.end(), uris->begin(), uris->end());
  const size_t files = leaving.uris.size();
  leaving_.push_back(std::move(leaving));
  RETURN_IF_ERROR(RemoveUnread());
  env_.log.Info("snapshots expired", {{"table", table_.name().ToString()}, {"snapshots", expired.snapshots.size()}, {"files", files}});
  return {};
}

Result<iceberg::OrphanFiles> TableCommitter::RemoveOrphans(int64_t age_us) {
  CHECK(current_.metadata != nullptr, "a search for orphans of a table that was not loaded");
  RETURN_IF_ERROR(RemoveUnread());
  const iceberg::TableName name{table_.name().table_namespace, table_.name().name};
  ASSIGN_OR_RETURN(auto orphans, iceberg::FindOrphans(catalog_, env_.objects, name, env_.clock.Now().us - age_us, SnapshotsRead()));
  std::erase_if(orphans.files, [&](const io::ObjectInfo& file) {
    return std::any_of(leaving_.begin(), leaving_.end(),
                       [&](auto& leaving) { return std::find(leaving.uris.begin(), leaving.uris.end(), file.uri) != leaving.uris.end(); });
  });
  if (orphans.files.empty()) return orphans;
  if (!orphans.kept_because.empty()) {
    env_.log.Warn("files that nobody refers to stay",
                  {{"table", name.ToString()}, {"files", orphans.files.size()}, {"cause", orphans.kept_because}});
    orphans.files.clear();
    return orphans;
  }
  for (auto& file : orphans.files) RETURN_IF_ERROR(env_.objects.Remove(file.uri));
  env_.log.Info("files removed that nobody refers to", {{"table", name.ToString()},
                                                        {"files", orphans.files.size()},
                                                        {"bytes", orphans.bytes()},
                                                        {"older_than_ms", age_us / kMicrosPerMilli},
                                                        {"first", orphans.files.front().uri}});
  return orphans;
}

Result<void> TableCommitter::RemoveUnread() {
  for (; !leaving_.empty(); leaving_.pop_front()) {
    auto& leaving = leaving_.front();
    if (std::any_of(leaving.readers.begin(), leaving.readers.end(), [](auto& readers) { return !readers.alive.expired(); })) return {};
    for (; !leaving.uris.empty(); leaving.uris.pop_front()) RETURN_IF_ERROR(env_.objects.Remove(leaving.uris.front()));
  }
  return {};
}

}  // namespace sluice::table
