// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <ctime>

#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

class RealClock final : public Clock {
 public:
  Timestamp Now() override {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return Timestamp{now.tv_sec * kMicrosPerSecond + now.tv_nsec / 1000};
  }
  int64_t MonotonicNs() override {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * kNanosPerSecond + now.tv_nsec;
  }
  void SleepUs(int64_t us) override {
    if (us <= 0) return;
    timespec left{us / kMicrosPerSecond, us % kMicrosPerSecond * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
  }
};

}  // namespace

std::unique_ptr<Clock> MakeRealClock() { return std::make_unique<RealClock>(); }

}  // namespace sluice::io
