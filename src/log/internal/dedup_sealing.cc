// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_sealing.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kRunsOfASize = 4;

// Those of another source, until they are not wanted any more.
class StoppableEntries final : public DedupEntries {
 public:
  StoppableEntries(DedupEntries& entries, const std::atomic<bool>& stop) : entries_(entries), stop_(stop) {}
  Result<std::span<const DedupEntry>> Next() override {
    if (stop_) return Error{ErrorCode::kCancelled, "the log is ending", {}};
    return entries_.Next();
  }

 private:
  DedupEntries& entries_;
  const std::atomic<bool>& stop_;
};

}  // namespace

Result<std::shared_ptr<const DedupRun>> SealTable(io::Env env, const LogPaths& paths, const JournalId& journal, const FrozenTable& frozen) {
  DedupTableEntries entries(*frozen.table);
  return DedupRun::Write(env, paths, journal, frozen.range, frozen.table->size(), entries);
}

size_t RunsToMerge(std::span<const std::shared_ptr<const DedupRun>> runs, const LogOptions& options) {
  if (runs.empty()) return 0;
  const DedupRun& newest = *runs.back();
  size_t taken = 1, keys_taken = newest.size();
  size_t seen = 1, keys_seen = keys_taken;
  CommitSequence first = newest.range().first;
  for (auto at = runs.rbegin() + 1; at != runs.rend(); ++at) {
    const DedupRun& run = **at;
    if (run.size() > keys_taken + keys_taken / 4 || run.size() + keys_seen > options.dedup_run_keys_max || run.range().last + 1 != first ||
        newest.range().newest.us - run.range().oldest.us > options.dedup_run_span_us)
      break;
    keys_seen += run.size();
    first = run.range().first;
    if (++seen - taken < kRunsOfASize - 1) continue;
    taken = seen;
    keys_taken = keys_seen;
  }
  return taken == 1 ? 0 : taken;
}

Result<std::shared_ptr<const DedupRun>> MergeRuns(io::Env env, const LogPaths& paths, const JournalId& journal, const DedupRuns& runs,
                                                  const std::atomic<bool>& stop) {
  CHECK(!runs.empty(), "no runs to merge");
  DedupRunRange range = runs.front()->range();
  size_t keys = 0;
  std::vector<std::unique_ptr<DedupEntries>> sources;
  for (const auto& run : runs) {
    range.last = run->range().last;
    range.oldest = std::min(range.oldest, run->range().oldest);
    range.newest = std::max(range.newest, run->range().newest);
    keys += run->size();
    sources.push_back(std::make_unique<DedupRunEntries>(*run));
  }
  MergedDedupEntries merged(std::move(sources));
  StoppableEntries until_stopped(merged, stop);
  return DedupRun::Write(env, paths, journal, range, keys, until_stopped);
}

}  // namespace sluice::log
