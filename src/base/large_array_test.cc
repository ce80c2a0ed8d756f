// SPDX-License-Identifier: Apache-2.0
#include "base/large_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace sluice::base {
namespace {

TEST(LargeArray, IsZeroAndMoves) {
  LargeArray<uint64_t> a(1'000'003);
  EXPECT_EQ(a.size(), 1'000'003u);
  EXPECT_TRUE(std::all_of(a.begin(), a.end(), [](uint64_t v) { return v == 0; }));
  a[1'000'002] = 7;
  LargeArray<uint64_t> b(std::move(a));
  EXPECT_EQ(a.size(), 0u);
  EXPECT_EQ(b[1'000'002], 7u);
  a = std::move(b);
  EXPECT_EQ(a[1'000'002], 7u);
  EXPECT_EQ(LargeArray<uint64_t>().size(), 0u);
}

}  // namespace
}  // namespace sluice::base
