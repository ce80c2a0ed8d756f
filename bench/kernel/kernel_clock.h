// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What a kernel costs: the time of the clock and of the processor, of the thread that asks.

#include <ctime>

namespace sluice::bench {

inline double SecondsOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
inline double WallSeconds() { return SecondsOf(CLOCK_MONOTONIC); }
inline double ThreadCpuSeconds() { return SecondsOf(CLOCK_THREAD_CPUTIME_ID); }
inline double ProcessCpuSeconds() { return SecondsOf(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace sluice::bench
