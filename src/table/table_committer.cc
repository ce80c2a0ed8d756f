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

// Partitions that a map leaves out stand at 0.
bool SameOffsets(const PartitionOffsets& a, const PartitionOffsets& b) {
  auto covers = [](const PartitionOffsets& x, const PartitionOffsets& y) {
    for (auto& [partition, offset] : x) {
      auto at = y.find(partition);
      if ((at == y.end() ? log::Offset(0) : at->second) != offset) return false;
    }
    return true;
  };
  return covers(a, b) && covers(b, a);
}

}  // namespace

TableCommitter::TableCommitter(iceberg::Catalog& catalog, io::Env env, TableRegistry& registry, Table& table, std::string journal_id)
    : catalog_(catalog), env_(env), registry_(registry), table_(table), journal_id_(std::move(journal_id)) {}

Result<iceberg::Table> TableCommitter::LoadOrCreate() {
  const iceberg::TableName name{table_.name().table_namespace, table_.name().name};
  auto loaded = catalog_.LoadTable(name);
  if (loaded.ok() || loaded.error().code != ErrorCode::kNotFound) return loaded;
  RETURN_IF_ERROR(catalog_.CreateNamespace(name.table_namespace));
  FeedProgress empty;
  empty.journal_id = journal_id_;
  for (auto& [partition, offset] : table_.topic().config().first_offsets) empty.partitions[partition] = {offset, 0};
  auto created = catalog_.CreateTable(name, NewEventTable(table_, empty));
  if (created.ok()) env_.log.Info("table created", {{"table", name.ToString()}, {"location", created->metadata->location}});
  if (created.ok() || (created.error().code != ErrorCode::kExists && created.error().code != ErrorCode::kCommitUnknown)) return created;
  // Another process was first, or the outcome is unknown: what the catalog says now is the truth. Of an unknown outcome it may
  // still say "nothing", because the table is yet to come or never will: the next Load finds out.
  loaded = catalog_.LoadTable(name);
  if (!loaded.ok() && loaded.error().code == ErrorCode::kNotFound && created.error().code == ErrorCode::kCommitUnknown)
    return Error{ErrorCode::kCommitUnknown, "whether the table " + name.ToString() + " was created is not known", "it is tried again"};
  return loaded;
}

// What a table must look like so that this log may go on feeding it.
Result<FeedProgress> TableCommitter::CheckProgress(const iceberg::TableMetadata& metadata) const {
  const auto property = FeedPropertyName(table_.topic_name());
  auto paused = [&](const std::string& why, const std::string& hint) {
    return Error{ErrorCode::kInvalid, "the table " + table_.name().ToString() + " " + why, hint};
  };
  auto at = metadata.properties.find(property);
  if (at == metadata.properties.end())
    return paused("has no property \"" + property + "\"", "somebody removed it or made the table; `sluice table resume " + table_.name().ToString() + " --from` sets where to go on");
  ASSIGN_OR_RETURN(auto progress, ParseFeedProgress(at->second));
  if (progress.journal_id == journal_id_) return progress;
  // A new log that was told where the table ends begins its partitions there: the same offset never names two events.
  if (SameOffsets(progress.offsets(), table_.topic().config().first_offsets)) return progress;
  return paused("belongs to the log " + progress.journal_id + ", this is " + journal_id_,
                "this directory is a copy, or a new log for an old warehouse: `sluice restore` tells the ways out");
}

std::shared_ptr<const TableVersion> TableCommitter::Accept(const iceberg::Table& loaded, FeedProgress progress) {
  current_ = loaded;
  auto version = std::make_shared<TableVersion>();
  version->metadata = *loaded.metadata;
  version->metadata_location = loaded.metadata_location;
  version->progress = std::move(progress);
  std::erase_if(readers_, [](auto& reader) { return reader.expired(); });
  readers_.push_back(registry_.Publish(table_, version));
  return version;
}

Result<std::shared_ptr<const TableVersion>> TableCommitter::Load(const ProgressCheck& check) {
  ASSIGN_OR_RETURN(auto loaded, LoadOrCreate());
  ASSIGN_OR_RETURN(auto progress, CheckProgress(*loaded.metadata));
  if (check) RETURN_IF_ERROR(check(progress));
  return Accept(loaded, std::move(progress));
}

Result<std::shared_ptr<const TableVersion>> TableCommitter::Append(std::vector<iceberg::DataFile> files, const PartitionOffsets& from, const FeedProgress& next) {
  CHECK(current_.metadata != nullptr, "an append to a table that was not loaded");
  const auto property = FeedPropertyName(table_.topic_name());
  const auto text = FormatFeedProgress(next);
  iceberg::TableChange change;
  change.set_properties[property] = text;
  change.snapshot.emplace();
  change.snapshot->summary[property] = text;
  for (auto& file : files) change.snapshot->added.push_back({std::move(file), current_.metadata->default_spec_id});
  auto unmoved = [&](const iceberg::TableMetadata& base) -> Result<void> {
    ASSIGN_OR_RETURN(auto progress, CheckProgress(base));
    if (SameOffsets(progress.offsets(), from)) return {};
    return Error{ErrorCode::kConflict, "the progress of " + table_.name().ToString() + " is not where this commit starts", "another owner moved it"};
  };
  ASSIGN_OR_RETURN(auto committed, catalog_.Commit(current_, change, unmoved));
  return Accept(committed, next);
}

Result<void> TableCommitter::ExpireSnapshots(const SnapshotRetention& retention) {
  CHECK(current_.metadata != nullptr, "expiry on a table that was not loaded");
  RETURN_IF_ERROR(RemoveUnread());
  iceberg::TableChange change;
  change.expire.emplace();
  change.expire->older_than_ms = (env_.clock.Now().us - retention.age_us_max) / kMicrosPerMilli;
  change.expire->retain_last = retention.snapshots_min;
  ASSIGN_OR_RETURN(auto expired, iceberg::SnapshotsToExpire(*current_.metadata, *change.expire, env_.clock.Now().us / kMicrosPerMilli));
  if (expired.snapshots.empty() && expired.refs.empty()) return {};
  const auto before = current_.metadata;
  ASSIGN_OR_RETURN(auto committed, catalog_.Commit(current_, change));
  ASSIGN_OR_RETURN(auto progress, CheckProgress(*committed.metadata));
  Accept(committed, std::move(progress));
  ASSIGN_OR_RETURN(auto unreachable, iceberg::ListUnreachable(env_.objects, *before, *committed.metadata));
  Leaving leaving{readers_, {}};
  // In this order what a crash leaves can still be found from the lists.
  for (auto* uris : {&unreachable.data_files, &unreachable.manifests, &unreachable.manifest_lists, &unreachable.statistics_files})
    leaving.uris.insert(leaving.uris.end(), uris->begin(), uris->end());
  const size_t files = leaving.uris.size();
  leaving_.push_back(std::move(leaving));
  RETURN_IF_ERROR(RemoveUnread());
  env_.log.Info("snapshots expired", {{"table", table_.name().ToString()}, {"snapshots", expired.snapshots.size()}, {"files", files}});
  return {};
}

Result<void> TableCommitter::RemoveUnread() {
  for (; !leaving_.empty(); leaving_.pop_front()) {
    auto& leaving = leaving_.front();
    if (std::any_of(leaving.readers.begin(), leaving.readers.end(), [](auto& reader) { return !reader.expired(); })) return {};
    for (; !leaving.uris.empty(); leaving.uris.pop_front()) RETURN_IF_ERROR(env_.objects.Remove(leaving.uris.front()));
  }
  return {};
}

}  // namespace sluice::table
