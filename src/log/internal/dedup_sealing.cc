// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_sealing.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kRunsMergedMin = 4, kRunsMergedMax = 16;

// Where those end that can become one run with `first`.
DedupRuns::const_iterator EndOfMerge(DedupRuns::const_iterator first, DedupRuns::const_iterator runs_end, const LogOptions& options) {
  const size_t short_keys_max = options.dedup_table_keys() + options.dedup_table_keys() / 4;
  size_t keys = 0;
  auto end = first;
  for (; end != runs_end && static_cast<size_t>(end - first) < kRunsMergedMax; ++end) {
    const DedupRun& run = **end;
    keys += run.size();
    const bool is_behind = end == first || (*(end - 1))->range().last + 1 == run.range().first;
    const bool is_bounded = run.size() <= short_keys_max && keys <= options.dedup_run_keys_max &&
                            run.range().newest.us - (*first)->range().oldest.us <= options.dedup_run_span_us;
    if (!is_behind || !is_bounded) break;
  }
  return end;
}

// One that is longer than half of all others together would be written again for little.
bool IsLopsided(std::span<const std::shared_ptr<const DedupRun>> runs) {
  size_t keys = 0, longest = 0;
  for (const auto& run : runs) {
    keys += run->size();
    longest = std::max(longest, run->size());
  }
  return longest > (keys - longest) / 2;
}

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

Result<std::shared_ptr<const DedupRun>> SealTable(io::Env env, const LogPaths& paths, const JournalId& journal, const FrozenTable& frozen,
                                                  RecentKeys* keys) {
  DedupTableEntries entries(*frozen.table);
  if (keys == nullptr) return DedupRun::Write(env, paths, journal, frozen.range, frozen.table->size(), entries);
  RememberedEntries remembered(entries, *keys);
  return DedupRun::Write(env, paths, journal, frozen.range, frozen.table->size(), remembered);
}

DedupRuns RunsToMerge(const DedupRuns& runs, const LogOptions& options) {
  for (auto first = runs.begin(); first != runs.end(); ++first) {
    const auto end = EndOfMerge(first, runs.end(), options);
    const auto count = static_cast<size_t>(end - first);
    const bool is_due = count == kRunsMergedMax || (count >= kRunsMergedMin && end != runs.end());
    if (is_due && !IsLopsided({first, end})) return {first, end};
  }
  return {};
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
