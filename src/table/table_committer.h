// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one way to change a table: rows and progress in one metadata file, and only if progress is still where we left it.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/catalog.h"
#include "iceberg/orphan_files.h"
#include "iceberg/table_change.h"
#include "io/env.h"
#include "table/feed_check.h"
#include "table/known_table.h"
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
  // `known`: what the log remembers of the table; nothing when it never fed one.
  TableCommitter(iceberg::Catalog& catalog, io::Env env, TableRegistry& registry, Table& table, std::string journal_id,
                 std::optional<KnownTable> known = {});

  // Whether this log may go on behind that progress.
  using ProgressCheck = std::function<Result<void>(const FeedProgress& progress)>;
  // Reads the table from the catalog, creates it when there never was one, and publishes what it found if `check` (may be empty)
  // agrees: behind the progress of another log, nobody could say which rows are missing.
  // kInvalid: the table is gone or another one than before, it belongs to another log, or its progress is missing or went back: it
  // pauses, the hint says the way out.
  // kCorruption: its progress cannot be read. kUnavailable, kIo: of the catalog or the warehouse. kCommitUnknown: it may have been
  // created: load again.
  Result<std::shared_ptr<const TableVersion>> Load(const ProgressCheck& check = {});

  // Adds `files`, each under the partition spec by which it was made, and moves progress from `from` to `next`, in one commit; publishes
  // the version. REQUIRES: Load succeeded.
  // kConflict: progress is not `from` any more, nothing was changed. kCommitUnknown: it may be in: Load tells.
  // kInvalid: as Load.
  Result<std::shared_ptr<const TableVersion>> Append(std::vector<iceberg::AddedFile> files, const PartitionOffsets& from,
                                                     const FeedProgress& next);

  // ---- going on after a pause; the explicit way past the rules above ----
  // The table of that name, whatever it is; nothing: there is none.
  Result<std::optional<iceberg::Table>> Find();
  // Makes `found` (nothing: a new table) the one that is fed from now on, with `progress`, in one commit. Published by the next Load.
  // kInvalid: its columns are not where events are written. kConflict: somebody changed it meanwhile.
  Result<std::shared_ptr<const TableVersion>> Adopt(const std::optional<iceberg::Table>& found, const FeedProgress& progress);
  // Append to a table that was adopted, for rows older than those in memory: not published, because a view of it would have a gap.
  Result<std::shared_ptr<const TableVersion>> AppendUnpublished(std::vector<iceberg::AddedFile> files, const PartitionOffsets& from,
                                                                const FeedProgress& next);

  // Forgets old snapshots and deletes the files that only they refer to, once no view has a version from before: those that are
  // still read, at a later call. The newest snapshots stay; progress is untouched.
  Result<void> ExpireSnapshots(const SnapshotRetention& retention);

  // Removes files of the table that nobody refers to, neither a snapshot nor a reader of an earlier one, and that are older than `age_us`
  // (iceberg/orphan_files.h); returns them. Those that must stay are logged with the reason. REQUIRES: Load succeeded.
  Result<iceberg::OrphanFiles> RemoveOrphans(int64_t age_us);

  const std::string& journal_id() const { return journal_id_; }
  // The log's side of the feed.
  FeedSource Source() const;
  const std::optional<KnownTable>& known() const { return known_; }

 private:
  Result<iceberg::Table> LoadOrCreate();
  Result<iceberg::Table> Create(const FeedProgress& progress);
  Result<FeedProgress> CheckProgress(const iceberg::TableMetadata& metadata) const {
    return CheckFeedOwner(table_.name(), metadata, Source());
  }
  Result<void> CheckNotBehind(const iceberg::TableMetadata& metadata, const FeedProgress& progress) const;
  Error Paused(const std::string& why) const;
  std::shared_ptr<const TableVersion> Accept(const iceberg::Table& loaded, FeedProgress progress);
  Result<void> RemoveUnread();
  std::shared_ptr<const TableVersion> AcceptAndPublish(const iceberg::Table& loaded, FeedProgress progress);
  void Publish(const std::shared_ptr<const TableVersion>& version);

  iceberg::Catalog& catalog_;
  io::Env env_;
  TableRegistry& registry_;
  Table& table_;
  const std::string journal_id_;
  std::optional<KnownTable> known_;
  iceberg::Table current_;
  std::set<iceberg::SnapshotId> SnapshotsRead() const;

  // The views of one version.
  struct Readers {
    std::weak_ptr<const void> alive;
    std::set<iceberg::SnapshotId> snapshots;
  };
  std::vector<Readers> readers_;  // of earlier versions, as far as they live
  // What an expiry left to nobody but the readers of that time, in the order of its deletion.
  struct Leaving {
    std::vector<Readers> readers;
    std::set<iceberg::SnapshotId> snapshots;
    std::deque<std::string> uris;
  };
  std::deque<Leaving> leaving_;
};

}  // namespace sluice::table
