// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one owner of all tables. Rows come in from the log, versions from table commits, and everybody who wants to read gets a
// view in which the two fit: no gap, no row twice.
//
//   log ── OnAdmitted, OnDurable ──▶ ┌──────────┐ ── View ──▶ statements
//   tier ── Publish(version) ──────▶ │ registry │
//                                    └──────────┘

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/env.h"
#include "log/log.h"
#include "table/table.h"

namespace sluice::table {

// One table as one view sees it. Immutable.
struct TableView {
  const Table* table = nullptr;
  std::shared_ptr<const TableVersion> version;  // null: the table has no metadata yet, is held back or is loading
  std::vector<HotChunkView> chunks;             // every row behind the version, oldest first
  PartitionOffsets end;                         // behind the newest row of the view
  std::optional<Timestamp> watermark;
  std::shared_ptr<const void> reading;  // what the version refers to is not deleted as long as this lives
  bool is_loading = false;              // its rows are on their way from the log: a later view has it
};

// Every table at one moment: one prefix of the log in all of them.
struct TablesView {
  log::CommitSequence durable;
  std::vector<TableView> tables;  // by name
};

// Rows of the log that a hot tail is to hold: of each partition [from, border).
struct LoadPlan {
  PartitionOffsets from, border;  // of the same partitions
};

// Threads are said per method. The log's thread is the loop.
class TableRegistry : public log::LogListener {
 public:
  // `memory` and `env` must outlive it. `watermark_delay_us` as in LogOptions.
  TableRegistry(io::Env env, ChunkMemory& memory, int64_t watermark_delay_us);

  // The table that `topic` feeds, made if there is none; its hot tail begins at `begin`. kExists: another topic feeds it.
  // The log's thread, before the topic's first event. Until EndOpen a table without a version counts as loading.
  Result<Table*> Add(const log::Topic& topic, const TableName& name, iceberg::PartitionSpec partitioning, PartitionOffsets begin);
  // Its metadata was read or made, or cannot be for now. The log's thread.
  void EndOpen(Table& table);
  // Null: none. Any thread.
  Table* Find(const TableName& name) const;
  std::vector<Table*> Tables() const;

  // Nobody knows where the table's snapshot ends, so nobody can say which rows are behind it: until BeginLoad the table takes no rows,
  // and views do not show it. The log's thread, before its topic's first event of this process.
  void HoldBack(Table& table);
  bool is_held_back(const Table& table) const { return table.is_held_back_; }  // the log's thread
  // The end of that: the version is known. The table takes every row that comes from now on; those between its snapshot and now are
  // in the log, not all of them durable yet, and have to be laid into its hot tail (HotLoader). Views show it after EndLoad. An empty
  // plan: there are none, and that is done already. kNotFound, kIo: of the log. The log's thread. REQUIRES: held back, with a version.
  Result<LoadPlan> BeginLoad(Table& table, log::LogSource& log);
  void EndLoad(Table& table);  // any thread
  // Of a table that is torn and whose rows are not being loaded: they leave memory, and it is held back until BeginLoad, which finds
  // them in the log. False: it is not, or not yet. The log's thread.
  bool Reload(Table& table);
  bool IsLoading(const Table& table) const;  // any thread
  // Memory of the chunks of tables that do not get on. Any thread.
  uint64_t stuck_bytes() const;

  // ---- LogListener: the log's thread ----
  void OnAdmitted(const event::EventBatch& batch, const log::Admitted& admitted) override;
  void OnDurable(log::CommitSequence durable) override;

  // A table commit is known to be done: from now on views have it, and the hot rows that it holds leave. One that ends in the middle of
  // rows that lie together came from elsewhere: late, from the process before this one, or from another server on a copy of the log. The
  // table is torn then: no view has it until its rows were loaded anew. Any thread.
  // What is returned lives as long as a view has the version before.
  std::weak_ptr<const void> Publish(Table& table, std::shared_ptr<const TableVersion> version);
  std::shared_ptr<const TableVersion> Version(const Table& table) const;

  // Any thread.
  TablesView View() const;

 private:
  Table* TableOf(const log::Topic& topic);
  bool IsOnItsWay(const Table& table) const;
  void TakeLoaded(Table& table);
  void CompleteLoaded();

  io::Env env_;
  ChunkMemory& memory_;
  const int64_t watermark_delay_us_;
  mutable std::mutex mutex_;  // orders publications against views; never held across io
  std::map<TableName, std::unique_ptr<Table>> tables_;
  log::CommitSequence durable_;
  size_t loaded_ = 0;  // tables that are loaded and not complete
  // The log's thread only.
  std::map<const log::Topic*, Table*> by_topic_;
  std::vector<Table*> unpublished_;
  log::CommitSequence admitted_;  // the newest commit that holds rows
};

}  // namespace sluice::table
