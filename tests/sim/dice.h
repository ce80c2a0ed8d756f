// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What a seed decides. std::mt19937_64 gives the same numbers everywhere; the distributions of the library do not.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>

namespace sluice::sim {

// Not thread-safe; each actor has its own, so that one roll more of one actor changes nothing for the others.
class Dice {
 public:
  // `stream` keeps dice of one seed apart.
  Dice(uint64_t seed, uint64_t stream) : random_(seed * 0x9e3779b97f4a7c15 + stream * 0xbf58476d1ce4e5b9 + 1) {}

  // 0 <= result < n. REQUIRES: n > 0.
  uint64_t Below(uint64_t n) { return random_() % n; }
  // low <= result <= high
  int64_t Between(int64_t low, int64_t high) { return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1)); }
  // True once in `n` times.
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  bool Coin() { return OneIn(2); }
  template <class List>
  auto& Pick(List& list) {
    return list[static_cast<size_t>(Below(std::size(list)))];
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace sluice::sim
