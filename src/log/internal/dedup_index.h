// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Every key of the dedup window, and the place of its first event.
//
//   open table ──(one hour or 1 M keys, or the journal needs to go)──▶ frozen table ──(upkeep thread)──▶ run, on disk
//   runs ──(merge thread, which nobody waits for)──▶ a longer one
//
// Sixteen runs become one, up to 20 M keys (dedup_sealing.h): a key is written twice. Until then one filter stands for all of them
// (recent_keys.h), so that their number does not matter to a key that is in none.
// A run covers a range of commits; runs and tables together cover the window without gaps. A key enters at append; tables are
// written only when all their commits are durable, so no file ever names an event that a crash took away.

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "io/file_system.h"
#include "log/internal/dedup_run.h"
#include "log/internal/dedup_table.h"
#include "log/internal/sealed_keys.h"

namespace sluice::log {

// A table that takes no more keys, and what it covers.
struct FrozenTable {
  std::shared_ptr<DedupTable> table;
  DedupRunRange range;
};

// The log's thread, but for sealed().
class DedupIndex {
 public:
  static constexpr size_t kGroupsMax = 2;  // of runs that are merged, and of those that come meanwhile
  // `table_keys_max`: of the open table, usually. `run_keys_max`: of runs that are made of others.
  DedupIndex(DedupRuns runs, CommitSequence covered, size_t table_keys_max, size_t run_keys_max);

  DedupTable& open() { return *open_; }
  const DedupTable& open() const { return *open_; }
  // Notes that a commit with this append time put keys into the open table.
  void Touch(Timestamp append_time);
  std::optional<Timestamp> open_since() const { return open_oldest_; }

  // The places of keys that are not in the open table; empty where there is none. May read from disk.
  // `asked_until`: keys of commits up to this one were looked for before (SealedKeys::covered), and `places` has what was found; others are
  // empty.
  // REQUIRES: as many `places` as `keys`.
  Result<void> FindOlder(std::span<const DedupKey> keys, std::span<DedupPlace> places, CommitSequence asked_until = {}) const;
  // The runs as they are now, to be asked on another thread. Any thread.
  std::shared_ptr<const SealedKeys> sealed() const;

  // Files hold every key of the commits up to this one.
  CommitSequence covered() const { return sealed_->covered; }
  // Ends the open table: it covers the commits from covered() (or the newest frozen table) to `last`.
  // REQUIRES: keys of commits behind `last` are not in it.
  void Freeze(CommitSequence last);
  const std::deque<FrozenTable>& frozen() const { return frozen_; }
  // Where the keys of the oldest frozen table go as well when it is sealed: the filter of the runs before it, or a new one. Null for so
  // few keys that they come seldom, and need not be found fast.
  std::shared_ptr<RecentKeys> KeysForNextRun();
  // The oldest frozen table is in `run` now, and its keys in `keys`, as KeysForNextRun answered. Returns the table, which nobody reads any
  // more.
  std::shared_ptr<DedupTable> Sealed(std::shared_ptr<const DedupRun> run, std::shared_ptr<RecentKeys> keys);
  // The runs as they are become part of others: those that come next have another filter.
  void EndGroup() { open_keys_.reset(); }
  // All keys of `replaced` are in `run` now. REQUIRES: they stand one behind the other in runs().
  void Merged(std::span<const std::shared_ptr<const DedupRun>> replaced, std::shared_ptr<const DedupRun> run);
  // An empty table whose memory the next open table takes over.
  void GiveSpare(std::shared_ptr<DedupTable> table) { spare_ = std::move(table); }
  // Forgets runs whose newest key is older than `before`, and answers them for removal.
  DedupRuns Expire(Timestamp before);
  const DedupRuns& runs() const { return sealed_->runs; }
  uint64_t disk_bytes() const;
  uint64_t memory_bytes() const;  // of tables and of the filters that stand for runs

 private:
  void Publish(SealedKeys sealed);

  const size_t table_keys_max_, run_keys_max_;
  std::shared_ptr<DedupTable> open_;
  std::shared_ptr<DedupTable> spare_;  // or null
  std::optional<Timestamp> open_oldest_;
  Timestamp open_newest_;
  CommitSequence frozen_until_;                        // the open table begins behind this commit
  std::deque<FrozenTable> frozen_;                     // oldest first
  std::shared_ptr<RecentKeys> open_keys_;              // of the runs that come next; null: a new one is made
  size_t open_keys_size_ = 0;
  mutable std::mutex mutex_;                           // of sealed_, for threads other than the log's, which alone changes it
  std::shared_ptr<const SealedKeys> sealed_;
};

}  // namespace sluice::log
