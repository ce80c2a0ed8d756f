// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A data directory that came back from a backup: it is accepted at its place, and a log that ends before its tables gets a
// successor that goes on behind them (log/successor.h).
//
//   1  DIR/log.restored is made
//   2  directory.json says "restoring": until 5 `serve` refuses the directory and names `sluice restore`
//   3  DIR/log becomes DIR/log.before-restore-N
//   4  DIR/log.restored becomes DIR/log
//   5  directory.json accepts the directory
//
// After a crash it begins anew with what DIR/log is then: before 3 the old log, behind 4 one that reaches its tables. Between them
// there is none, and it goes on at 4.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/catalog.h"
#include "log/check.h"
#include "log/successor.h"
#include "server/data_directory.h"
#include "table/feed_progress.h"
#include "table/topic_name.h"

namespace sluice::server {

struct RestorePlan {
  bool is_half_done = false;         // an earlier attempt ended between 3 and 4
  std::vector<std::string> reasons;  // a sentence for each table that is ahead of the log; none: it stays as it is
};

struct Restored {
  std::optional<log::SuccessorReport> successor;  // nothing: the log reached its tables, or an earlier attempt made the new one
  Path old_log;                                   // where the log that was replaced lies now; empty: it was not
};

// One thread. Holds the directory's lock as long as it lives.
class Restore {
 public:
  // Finds out what is to be done; changes nothing. `path` as for DataDirectory::Open.
  // kConflict: a server uses the directory. kInvalid: it cannot be done, the message says why. kCorruption: the log is damaged.
  static Result<std::unique_ptr<Restore>> Plan(io::Env env, const Path& path, const CatalogOpener& open_catalog);
  const RestorePlan& plan() const { return plan_; }
  // Does it. After an error or a crash it can be planned and run again.
  Result<Restored> Run();

 private:
  Restore(io::Env env, const Path& path) : env_(env), path_(path), log_(path + "/log"), made_(path + "/log.restored") {}
  Result<void> FindHalfDone();
  Result<void> CompareTables();
  Result<void> AddTable(const iceberg::Table& table);
  Result<void> AddFeed(const iceberg::Table& table, const std::string& topic, const std::string& progress);
  Result<void> AddOwnFeed(const table::TableName& name, const std::string& topic, const table::FeedProgress& progress);
  Result<void> AddForeignFeed(const table::TableName& name, const std::string& topic, const table::FeedProgress& progress);
  Result<void> CheckForgotten(const iceberg::Table& table) const;
  Result<log::SuccessorReport> MakeLog();

  io::Env env_;
  const Path path_, log_, made_;
  std::unique_ptr<io::FileLock> lock_;
  std::unique_ptr<io::CatalogStore> store_;
  std::unique_ptr<iceberg::Catalog> catalog_;
  log::LogCheck check_;
  log::SuccessorTables tables_;
  std::map<std::string, iceberg::Table> by_topic_;
  RestorePlan plan_;
};

}  // namespace sluice::server
