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

// Writes the table as a run, and its keys into `keys`, unless that is null. Errors as of DedupRun::Write; some may be in `keys` then.
// Thread-safe as long as nobody else changes the table or `keys`.
Result<std::shared_ptr<const DedupRun>> SealTable(io::Env env, const LogPaths& paths, const JournalId& journal, const FrozenTable& frozen,
                                                  RecentKeys* keys);

// Those of `runs` that should become one, which stand one behind the other: sixteen that are not much longer than a table, together in
// the bounds of a run; or at least four to which no later one will come, because it would be too long, or of another hour. Few runs for a
// lookup, and a key is written twice. Empty: none.
DedupRuns RunsToMerge(const DedupRuns& runs, const LogOptions& options);

// Writes `runs`, which stand one behind the other, as one; they are not replaced yet. Errors as of DedupRun::Write and DedupRunEntries;
// kCancelled soon after `stop` is true. Thread-safe.
Result<std::shared_ptr<const DedupRun>> MergeRuns(io::Env env, const LogPaths& paths, const JournalId& journal, const DedupRuns& runs,
                                                  const std::atomic<bool>& stop);

}  // namespace sluice::log
