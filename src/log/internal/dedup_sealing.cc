// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_sealing.h"

#include <algorithm>
#include <utility>

namespace sluice::log {
namespace {

constexpr size_t kRunsOfASize = 4;

}  // namespace

size_t RunsToMerge(const DedupRuns& runs, const FrozenTable& frozen, const LogOptions& options) {
  const bool is_empty = frozen.table->size() == 0;  // it lengthens the run before it
  size_t taken = 0, keys_taken = frozen.table->size();
  size_t seen = 0, keys_seen = keys_taken;
  CommitSequence first = frozen.range.first;
  for (auto at = runs.rbegin(); at != runs.rend() && !(is_empty && taken > 0); ++at) {
    const DedupRun& run = **at;
    const bool is_small = is_empty || run.size() <= keys_taken + keys_taken / 4;
    if (!is_small || run.size() + keys_seen > options.dedup_run_keys_max || run.range().last + 1 != first ||
        frozen.range.newest.us - run.range().oldest.us > options.dedup_run_span_us)
      break;
    keys_seen += run.size();
    first = run.range().first;
    if (++seen - taken < kRunsOfASize - 1 && !is_empty) continue;
    taken = seen;
    keys_taken = keys_seen;
  }
  return taken;
}

Result<std::shared_ptr<const DedupRun>> SealTable(io::Env env, const LogPaths& paths, const JournalId& journal, const FrozenTable& frozen,
                                                  const DedupRuns& older) {
  DedupRunRange range = frozen.range;
  size_t keys = frozen.table->size();
  std::vector<std::unique_ptr<DedupEntries>> sources;
  sources.push_back(std::make_unique<DedupTableEntries>(*frozen.table));
  for (const auto& run : older) {
    range.newest = std::max(range.newest, run->range().newest);  // a table without keys has no times
    keys += run->size();
    sources.push_back(std::make_unique<DedupRunEntries>(*run));
  }
  if (!older.empty()) {
    range.first = older.front()->range().first;
    range.oldest = older.front()->range().oldest;
  }
  if (older.empty()) return DedupRun::Write(env, paths, journal, range, keys, *sources[0]);
  MergedDedupEntries merged(std::move(sources));
  return DedupRun::Write(env, paths, journal, range, keys, merged);
}

}  // namespace sluice::log
