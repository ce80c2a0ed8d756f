// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/time.h"

namespace sluice::io {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; may jump in both directions.
  virtual Timestamp Now() = 0;
  // Nanoseconds since some point; never goes back.
  virtual int64_t MonotonicNs() = 0;
  // Blocks this thread. A scheduling point.
  virtual void SleepUs(int64_t us) = 0;
};

}  // namespace sluice::io
