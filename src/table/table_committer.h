// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one way to change a table: rows and progress in one metadata file, and only if progress is still where we left it.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/catalog.h"
#include "io/env.h"
#include "table/registry.h"
#include "table/table.h"

namespace sluice::table {

struct SnapshotRetention {
  int64_t age_us_max = int64_t{6} * 3600 * kMicrosPerSecond;
  int32_t snapshots_min = 10;
};

// One per table; not thread-safe: the thread of the table's pump. References must outlive it.
class TableCommitter {
 public:
  TableCommitter(iceberg::Catalog& catalog, io::Env env, TableRegistry& registry, Table& table, std::string journal_id);

  // Whether this log may go on behind that progress.
  using ProgressCheck = std::function<Result<void>(const FeedProgress& progress)>;
  // Reads the table from the catalog, creates it when there is none, and publishes what it found if `check` (may be empty) agrees:
  // behind the progress of another log, nobody could say which rows are missing.
  // kInvalid: the table belongs to another log, or lacks its progress although it has rows: it pauses, the hint says the way out.
  // kCorruption: its progress cannot be read. kUnavailable, kIo: of the catalog or the warehouse. kCommitUnknown: it may have been
  // created: load again.
  Result<std::shared_ptr<const TableVersion>> Load(const ProgressCheck& check = {});

  // Adds `files` and moves progress from `from` to `next`, in one commit; publishes the version. REQUIRES: Load succeeded.
  // kConflict: progress is not `from` any more, nothing was changed. kCommitUnknown: it may be in: Load tells.
  Result<std::shared_ptr<const TableVersion>> Append(std::vector<iceberg::DataFile> files, const PartitionOffsets& from, const FeedProgress& next);

  // Forgets old snapshots and deletes the files that only they refer to, once no view has a version from before: those that are
  // still read, at a later call. The newest snapshots stay; progress is untouched.
  Result<void> ExpireSnapshots(const SnapshotRetention& retention);

  const std::string& journal_id() const { return journal_id_; }

 private:
  Result<iceberg::Table> LoadOrCreate();
  Result<FeedProgress> CheckProgress(const iceberg::TableMetadata& metadata) const;
  std::shared_ptr<const TableVersion> Accept(const iceberg::Table& loaded, FeedProgress progress);
  Result<void> RemoveUnread();

  iceberg::Catalog& catalog_;
  io::Env env_;
  TableRegistry& registry_;
  Table& table_;
  const std::string journal_id_;
  iceberg::Table current_;
  std::vector<std::weak_ptr<const void>> readers_;  // of earlier versions, as far as they live
  // What an expiry left to nobody but the readers of that time, in the order of its deletion.
  struct Leaving {
    std::vector<std::weak_ptr<const void>> readers;
    std::deque<std::string> uris;
  };
  std::deque<Leaving> leaving_;
};

}  // namespace sluice::table
