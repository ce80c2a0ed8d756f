// SPDX-License-Identifier: Apache-2.0
#include "base/path.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

TEST(Paths, JoinWithOneSlash) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

TEST(Paths, SplitIntoParentAndName) {
  EXPECT_EQ(ParentPath("a/b/c"), "a/b");
  EXPECT_EQ(ParentPath("c"), ".");
  EXPECT_EQ(ParentPath("/c"), "/");
  EXPECT_EQ(FileName("a/b/c"), "c");
  EXPECT_EQ(FileName("c"), "c");
  EXPECT_EQ(FileName("/c"), "c");
}

}  // namespace
}  // namespace sluice::base
