// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How frozen dedup tables become runs, and runs fewer and longer ones. Sealing is waited for: the journal's segments are used again only
// when runs hold their keys. Merging is not, and may take seconds: it has a thread of its own.

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/env.h"
#include "log/internal/dedup_index.h"
#include "log/log.h"

namespace sluice::log {

// Writes the table as a run. Errors as of DedupRun::Write. Thread-safe as long as nobody changes the table.
Result<std::shared_ptr<const DedupRun>> SealTable(io::Env env, const LogPaths& paths, const JournalId& journal, const FrozenTable& frozen);

// How many of the newest `runs` should become one: four of about a size in the same hour, with three of about the size that this makes,
// and so on: few runs for a lookup, and a key is written four times at most. 0: none.
size_t RunsToMerge(std::span<const std::shared_ptr<const DedupRun>> runs, const LogOptions& options);

// Writes `runs`, which stand one behind the other, as one; they are not replaced yet. Errors as of DedupRun::Write and DedupRunEntries;
// kCancelled soon after `stop` is true. Thread-safe.
Result<std::shared_ptr<const DedupRun>> MergeRuns(io::Env env, const LogPaths& paths, const JournalId& journal, const DedupRuns& runs,
                                                  const std::atomic<bool>& stop);

}  // namespace sluice::log
