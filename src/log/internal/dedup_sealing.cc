// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_sealing.h"

#include <algorithm>
#include <utility>

namespace sluice::log {

size_t RunsToMerge(const DedupRuns& runs, const FrozenTable& frozen, const LogOptions& options) {
  size_t count = 0, keys = frozen.table->size();
  CommitSequence first = frozen.range.first;
  for (auto at = runs.rbegin(); at != runs.rend(); ++at, count++) {
    const DedupRun& run = **at;
    const bool is_small = keys == 0 || run.size() <= keys;  // a table without keys lengthens the run before it
    if (!is_small || run.size() + keys > options.dedup_run_keys_max || run.range().last + 1 != first ||
        frozen.range.newest.us - run.range().oldest.us > options.dedup_run_span_us)
      break;
    keys += run.size();
    first = run.range().first;
  }
  return count;
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
