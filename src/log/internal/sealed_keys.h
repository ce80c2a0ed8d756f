// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The runs of a dedup index at one moment. Any thread may ask it: a key that is in a run is a read of the disk. For large requests it is
// asked where they are decoded; for small ones the loop stands still meanwhile.

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "log/internal/dedup_run.h"
#include "log/internal/recent_keys.h"

namespace sluice::log {

// Runs that one filter stands for.
struct RunGroup {
  CommitSequence first, last;              // its runs are those that are within these commits, and cover them
  std::shared_ptr<const RecentKeys> keys;  // of all its runs; not null
};

struct SealedKeys {
  DedupRuns runs;                // oldest first; together they cover the window without gaps
  CommitSequence covered;        // every key of the commits up to this one is in a run, or has left the window
  std::vector<RunGroup> groups;  // oldest first; some runs are in none

  // The places of keys of commits behind `asked_until`, and of some before it; of those that are in no run they stay as they are. May read
  // from disk. kCorruption and kIo as of DedupRun::Find. REQUIRES: as many `places` as `keys`; those that are not empty are not looked for.
  Result<void> Find(std::span<const DedupKey> keys, std::span<DedupPlace> places, CommitSequence asked_until = {}) const;
};

}  // namespace sluice::log
