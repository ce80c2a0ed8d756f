// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace sluice::io {

// Unpredictable in the real world, made of the seed in the simulator. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next64() = 0;
  // A version 4 UUID as text.
  std::string NextUuid();
};

}  // namespace sluice::io
