// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A filter of the keys of several runs, in memory: one cache line says that a key is in none of them, where each run's own filter would be
// another line to wait for. It grows while others ask it, so that a new run needs no new filter. Lines are as of dedup_filter.h, with one
// byte a key, not four: of keys that are not in it 1 in 27 seem to be when it is four fifths full, as it is before its sixteen runs are
// merged, 1 in 570 when half full. Those are looked for in the filters of the runs.

#include <cstddef>
#include <span>

#include "base/large_array.h"
#include "base/prefetch.h"
#include "log/internal/dedup_filter.h"
#include "log/internal/dedup_table.h"

namespace sluice::log {

class RecentKeys {
 public:
  // Room for so many keys; more are found as well, but so are more that are not in it.
  explicit RecentKeys(size_t keys_max);
  // One thread at a time. In the order of keys it is fastest.
  void Add(std::span<const DedupEntry> entries);
  // Any thread, also while keys are added: true for all whose Add happened before, and for some others.
  bool MayHold(const DedupKey& key, const DedupFilterBits& bits) const;
  size_t byte_size() const { return lines_.size() * sizeof(DedupFilterLine); }
  void Prefetch(const DedupKey& key) const { base::Prefetch(&lines_[FilterLineOf(key, lines_.size())]); }

 private:
  base::LargeArray<DedupFilterLine> lines_;  // its words are read and written as atomic ones
};

// Those of a source, which become part of `keys` as they come by.
class RememberedEntries final : public DedupEntries {
 public:
  RememberedEntries(DedupEntries& entries, RecentKeys& keys) : entries_(entries), keys_(keys) {}
  Result<std::span<const DedupEntry>> Next() override {
    ASSIGN_OR_RETURN(auto some, entries_.Next());
    keys_.Add(some);
    return some;
  }

 private:
  DedupEntries& entries_;
  RecentKeys& keys_;
};

}  // namespace sluice::log
