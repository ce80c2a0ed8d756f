// SPDX-License-Identifier: Apache-2.0
#include "log/internal/sealed_keys.h"

#include <algorithm>

namespace sluice::log {
namespace {

constexpr size_t kLinesAhead = 32;  // of filters

}  // namespace

// Each key in all runs, because its bits are the same for all; the lines of the next keys are on their way meanwhile.
Result<void> SealedKeys::Find(std::span<const DedupKey> keys, std::span<DedupPlace> places, CommitSequence asked_until) const {
  std::vector<const DedupRun*> to_ask;  // newest first
  for (auto run = runs.rbegin(); run != runs.rend() && (*run)->range().last > asked_until; ++run) to_ask.push_back(run->get());
  if (to_ask.empty()) return {};
  const size_t ahead = std::max<size_t>(1, kLinesAhead / to_ask.size());
  const auto prefetch = [&](size_t i) {
    for (const auto* run : to_ask) run->Prefetch(keys[i]);
  };
  for (size_t i = 0; i < std::min(ahead, keys.size()); i++) prefetch(i);
  for (size_t i = 0; i < keys.size(); i++) {
    if (i + ahead < keys.size()) prefetch(i + ahead);
    const DedupFilterBits bits(keys[i]);
    for (auto run = to_ask.begin(); run != to_ask.end() && places[i].empty(); ++run) {
      if (!(*run)->MayHold(keys[i], bits)) continue;
      ASSIGN_OR_RETURN(places[i], (*run)->Find(keys[i]));
    }
  }
  return {};
}

}  // namespace sluice::log
