// SPDX-License-Identifier: Apache-2.0
#include "server/restore.h"

#include "table/feed_check.h"
#include "table/known_table.h"
#include "table/table_rows.h"

namespace sluice::server {
namespace {

constexpr const char* kOldLogName = "log.before-restore";

table::TableName NameOf(const iceberg::Table& table) { return {table.name.table_namespace, table.name.name}; }

// A name that is not taken.
Result<Path> NewName(io::Env env, const Path& stem) {
  for (int n = 1;; n++) {
    Path path = stem + "-" + std::to_string(n);
    ASSIGN_OR_RETURN(const bool taken, io::Exists(env.files, path));
    if (!taken) return path;
  }
}

}  // namespace

// ---- planning -----------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Restore>> Restore::Plan(io::Env env, const Path& path, const CatalogOpener& open_catalog) {
  auto restore = std::unique_ptr<Restore>(new Restore(env, path));
  ASSIGN_OR_RETURN(restore->lock_, DataDirectory::Lock(env, path));
  ASSIGN_OR_RETURN(const bool has_log, io::Exists(env.files, restore->log_));
  if (!has_log) {
    RETURN_IF_ERROR(restore->FindHalfDone());
    return restore;
  }
  restore->check_ = log::CheckLog(env, restore->log_);
  if (!restore->check_.findings.empty())
    return Error{ErrorCode::kCorruption, "the log is damaged: " + restore->check_.findings.front(),
                 "`sluice check " + path + "` lists all; restore an undamaged backup"};
  ASSIGN_OR_RETURN(restore->store_, open_catalog(path + "/catalog.db"));
  restore->catalog_ = std::make_unique<iceberg::Catalog>(*restore->store_, env, iceberg::CatalogOptions{io::PathToUri(path + "/warehouse")});
  RETURN_IF_ERROR(restore->CompareTables());
  return restore;
}

Result<void> Restore::FindHalfDone() {
  ASSIGN_OR_RETURN(plan_.is_half_done, DataDirectory::IsRestoring(env_, path_));
  if (plan_.is_half_done && log::CheckLog(env_, made_).findings.empty()) return {};
  return Error{ErrorCode::kNotFound, "\"" + path_ + "\" has no log", "put the log of the backup to " + log_};
}

Result<void> Restore::CompareTables() {
  ASSIGN_OR_RETURN(auto namespaces, catalog_->ListNamespaces());
  for (auto& table_namespace : namespaces) {
    ASSIGN_OR_RETURN(auto names, catalog_->ListTables(table_namespace));
    for (auto& name : names) {
      ASSIGN_OR_RETURN(auto table, catalog_->LoadTable({table_namespace, name}));
      RETURN_IF_ERROR(AddTable(table));
    }
  }
  return {};
}

Result<void> Restore::AddTable(const iceberg::Table& table) {
  for (auto& [property, value] : table.metadata->properties)
    if (property.starts_with(table::kFeedPropertyPrefix)) RETURN_IF_ERROR(AddFeed(table, property.substr(table::kFeedPropertyPrefix.size()), value));
  return CheckForgotten(table);
}

// A table that the log remembers to have fed, and that does not say any more how far, could end anywhere.
Result<void> Restore::CheckForgotten(const iceberg::Table& table) const {
  auto state = check_.state.find(table::kTablesStateTopic);
  if (state == check_.state.end()) return {};
  for (auto& [topic, value] : state->second) {
    auto known = table::ParseKnownTable(value);
    if (!known.ok() || known->uuid != table.metadata->table_uuid || tables_.ends.contains(topic)) continue;
    return Error{ErrorCode::kInvalid, "the table " + NameOf(table).ToString() + " has no property \"" + table::FeedPropertyName(topic) + "\": it does not say where it ends",
                 "set it to what the summary of the table's newest snapshot says"};
  }
  return {};
}

Result<void> Restore::AddFeed(const iceberg::Table& table, const std::string& topic, const std::string& text) {
  const auto name = NameOf(table);
  auto progress = table::ParseFeedProgress(text);
  if (!progress.ok()) return progress.error().While("reading the table " + name.ToString());
  if (auto [other, is_first] = by_topic_.try_emplace(topic, table); !is_first)
    return Error{ErrorCode::kInvalid, "the tables " + NameOf(other->second).ToString() + " and " + name.ToString() + " both say that \"" + topic + "\" feeds them",
                 "remove the property \"" + table::FeedPropertyName(topic) + "\" of the one that it does not"};
  const bool is_own = progress->journal_id == check_.journal_id;
  auto& ends = tables_.ends[topic];
  for (auto& [partition, p] : progress->partitions) ends[partition] = {p.next, is_own ? std::optional(p.chain) : std::nullopt};
  if (check_.first_offsets.contains(topic))  // otherwise the log does not remember it
    tables_.state[std::string(table::kTablesStateTopic)][topic] = table::FormatKnownTable({table.metadata->table_uuid, *progress});
  return is_own ? AddOwnFeed(name, topic, *progress) : AddForeignFeed(name, topic, *progress);
}

Result<void> Restore::AddOwnFeed(const table::TableName& name, const std::string& topic, const table::FeedProgress& progress) {
  auto reaches = table::CheckLogReachesTable(name, progress, {topic, check_.journal_id, {}}, *check_.source);
  if (reaches.ok()) return {};
  if (reaches.error().code != ErrorCode::kInvalid) return reaches.error();
  plan_.reasons.push_back(reaches.error().message);
  return {};
}

// A log that has just been made begins where the table ends. Else another log went on feeding it after this one was saved, and began
// behind it: this one must end before that everywhere.
Result<void> Restore::AddForeignFeed(const table::TableName& name, const std::string& topic, const table::FeedProgress& progress) {
  auto first = check_.first_offsets.find(topic);
  if (first == check_.first_offsets.end() || table::SameOffsets(progress.offsets(), first->second)) return {};
  const std::string fed = "the table " + name.ToString() + " was fed by the log " + progress.journal_id + ", this is " + check_.journal_id;
  ASSIGN_OR_RETURN(auto log_ends, check_.source->DurableEnds(topic));
  for (auto& [partition, end] : log_ends) {
    auto at = progress.partitions.find(partition);
    if (end <= (at == progress.partitions.end() ? log::Offset(0) : at->second.next)) continue;
    return Error{ErrorCode::kInvalid, fed + ", and it goes further in log partition " + std::to_string(partition.get()),
                 "restore the log that fed the table, or a newer backup"};
  }
  plan_.reasons.push_back(fed + ", which was saved before");
  return {};
}

// ---- doing --------------------------------------------------------------------------------------------------------------

Result<Restored> Restore::Run() {
  Restored out;
  if (!plan_.is_half_done) RETURN_IF_ERROR(io::RemoveTree(env_.files, made_));  // of an attempt before
  if (!plan_.reasons.empty()) {
    ASSIGN_OR_RETURN(out.successor, MakeLog());
    RETURN_IF_ERROR(DataDirectory::MarkRestoring(env_, path_));
    ASSIGN_OR_RETURN(out.old_log, NewName(env_, path_ + "/" + kOldLogName));
    RETURN_IF_ERROR(env_.files.Rename(log_, out.old_log));
    RETURN_IF_ERROR(env_.files.SyncDirectory(path_));
  }
  if (plan_.is_half_done || out.successor) {
    RETURN_IF_ERROR(env_.files.Rename(made_, log_));
    RETURN_IF_ERROR(env_.files.SyncDirectory(path_));
  }
  RETURN_IF_ERROR(DataDirectory::Adopt(env_, path_));
  return out;
}

Result<log::SuccessorReport> Restore::MakeLog() {
  tables_.visit_rows = [this](const std::string& topic, log::Offset from, const log::SuccessorTables::Visit& visit) {
    return table::VisitTableRows(env_, *by_topic_.at(topic).metadata, from, visit);
  };
  auto made = log::MakeSuccessor(env_, log_, made_, log::LogOptions(), tables_);
  if (!made.ok()) (void)io::RemoveTree(env_.files, made_).ok();  // the next attempt does it, too
  return made;
}

}  // namespace sluice::server
