// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How frozen dedup tables become runs: which of the newest runs a table is written together with, and the writing.

#include <memory>
#include <vector>

#include "base/result.h"
#include "io/env.h"
#include "log/internal/dedup_index.h"
#include "log/log.h"

namespace sluice::log {

using DedupRuns = std::vector<std::shared_ptr<const DedupRun>>;

// How many of the newest `runs` a frozen table is written together with: three of about its size in the same hour, then three of about the
// size that this makes, and so on: few runs for a lookup, and a key is written three times at most.
size_t RunsToMerge(const DedupRuns& runs, const FrozenTable& frozen, const LogOptions& options);

// Writes the table and the runs right before it, `older` in their order, as one run. Errors as of DedupRun::Write; nothing was replaced.
// Thread-safe as long as nobody changes the table.
Result<std::shared_ptr<const DedupRun>> SealTable(io::Env env, const LogPaths& paths, const JournalId& journal, const FrozenTable& frozen,
                                                  const DedupRuns& older);

}  // namespace sluice::log
