// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one way to wait between tries: doubling, bounded, with full jitter.

#include <algorithm>
#include <cstdint>

namespace sluice::base {

struct BackoffOptions {
  int64_t delay_us_min = 100'000;
  int64_t delay_us_max = 60'000'000;
};

// Not thread-safe.
class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}) : options_(options), bound_us_(options.delay_us_min) {}

  // How long to wait before the next try, in microseconds: between the minimum and a bound that doubles with each call.
  // `random` is any number from io::Random.
  int64_t NextDelay(uint64_t random) {
    auto span = static_cast<uint64_t>(bound_us_ - options_.delay_us_min + 1);
    int64_t delay = options_.delay_us_min + static_cast<int64_t>(random % span);
    bound_us_ = std::min(bound_us_ * 2, options_.delay_us_max);
    return delay;
  }
  void Reset() { bound_us_ = options_.delay_us_min; }

 private:
  BackoffOptions options_;
  int64_t bound_us_;
};

}  // namespace sluice::base
