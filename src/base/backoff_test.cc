// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

constexpr uint64_t kLargest = UINT64_MAX;

// Goal: the bound doubles up to the maximum. Method: a random number that always asks for the largest delay.
TEST(Backoff, BoundDoublesToItsMaximum) {
  Backoff backoff({.delay_us_min = 100, .delay_us_max = 1000});
  for (int64_t bound : {100, 200, 400, 800, 1000, 1000}) {
    auto span = static_cast<uint64_t>(bound - 100 + 1);
    EXPECT_EQ(backoff.NextDelay(span - 1), bound);
  }
}

TEST(Backoff, DelayStaysBetweenMinimumAndMaximum) {
  Backoff backoff({.delay_us_min = 100, .delay_us_max = 1000});
  for (uint64_t random : {uint64_t{0}, uint64_t{1}, uint64_t{12345}, kLargest, kLargest - 1, uint64_t{901}, uint64_t{900}}) {
    int64_t delay = backoff.NextDelay(random);
    EXPECT_GE(delay, 100);
    EXPECT_LE(delay, 1000);
  }
  EXPECT_EQ(backoff.NextDelay(0), 100);
}

TEST(Backoff, ResetStartsAgain) {
  Backoff backoff({.delay_us_min = 100, .delay_us_max = 1000});
  for (int i = 0; i < 5; i++) backoff.NextDelay(0);
  backoff.Reset();
  EXPECT_EQ(backoff.NextDelay(kLargest), 100);
}

}  // namespace
}  // namespace sluice::base
