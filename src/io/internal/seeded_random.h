// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace sluice::io {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): the same numbers for the same seed on
// every machine, which std:: distributions do not promise. Not thread-safe.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 <= result < n. REQUIRES: n > 0.
  uint64_t Below(uint64_t n) { return Next() % n; }
  // True with this probability; draws nothing when it is 0, so that a fault that is switched off changes no run.
  bool Chance(double probability) { return probability > 0 && static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability; }
  bool Coin() { return (Next() & 1) != 0; }

 private:
  uint64_t state_;
};

}  // namespace sluice::io
