// SPDX-License-Identifier: Apache-2.0
#include "log/internal/sealed_keys.h"

#include <algorithm>

namespace sluice::log {
namespace {

constexpr size_t kLinesAhead = 32;  // of filters

// What is asked one after the other: a filter, and what stands behind it if it says that a key may be there.
struct Asked {
  const RecentKeys* group;  // null: only `runs` know
  std::vector<const DedupRun*> runs;

  void Prefetch(const DedupKey& key) const {
    if (group != nullptr) return group->Prefetch(key);
    for (const auto* run : runs) run->Prefetch(key);
  }
  size_t lines() const { return group != nullptr ? 1 : runs.size(); }
};

const RecentKeys* GroupOf(const DedupRun& run, std::span<const RunGroup> groups) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](auto& g) { return g.first <= run.range().first && run.range().last <= g.last; });
  return found == groups.end() ? nullptr : found->keys.get();
}

// Newest first.
std::vector<Asked> WhomToAsk(const SealedKeys& sealed, CommitSequence asked_until) {
  std::vector<Asked> out;
  for (auto run = sealed.runs.rbegin(); run != sealed.runs.rend() && (*run)->range().last > asked_until; ++run) {
    const auto* group = GroupOf(**run, sealed.groups);
    if (out.empty() || out.back().group != group) out.push_back({group, {}});
    out.back().runs.push_back(run->get());
  }
  return out;
}

Result<DedupPlace> FindIn(const Asked& asked, const DedupKey& key, const DedupFilterBits& bits) {
  if (asked.group != nullptr && !asked.group->MayHold(key, bits)) return DedupPlace();
  for (const auto* run : asked.runs) {
    if (!run->MayHold(key, bits)) continue;
    ASSIGN_OR_RETURN(const DedupPlace place, run->Find(key));
    if (!place.empty()) return place;
  }
  return DedupPlace();
}

}  // namespace

// A key's bits are the same for all filters; the lines of the next keys are on their way meanwhile.
Result<void> SealedKeys::Find(std::span<const DedupKey> keys, std::span<DedupPlace> places, CommitSequence asked_until) const {
  const auto to_ask = WhomToAsk(*this, asked_until);
  if (to_ask.empty()) return {};
  size_t lines = 0;
  for (const auto& asked : to_ask) lines += asked.lines();
  const size_t ahead = std::max<size_t>(1, kLinesAhead / lines);
  const auto prefetch = [&](size_t i) {
    for (const auto& asked : to_ask) asked.Prefetch(keys[i]);
  };
  for (size_t i = 0; i < std::min(ahead, keys.size()); i++) prefetch(i);
  for (size_t i = 0; i < keys.size(); i++) {
    if (i + ahead < keys.size()) prefetch(i + ahead);
    const DedupFilterBits bits(keys[i]);
    for (auto asked = to_ask.begin(); asked != to_ask.end() && places[i].empty(); ++asked) {
      ASSIGN_OR_RETURN(places[i], FindIn(*asked, keys[i], bits));
    }
  }
  return {};
}

}  // namespace sluice::log
