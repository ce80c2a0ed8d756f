// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_split.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using Statements = std::vector<std::string>;

TEST(SplitStatements, AtSemicolonsOutsideOfEverything) {
  EXPECT_EQ(SplitStatements("SELECT 1; SELECT 2;").statements, (Statements{"SELECT 1", "SELECT 2"}));
  EXPECT_EQ(SplitStatements("SELECT ';', 'it''s;';").statements, (Statements{"SELECT ';', 'it''s;'"}));
  EXPECT_EQ(SplitStatements("SELECT \"a;b\";").statements, (Statements{"SELECT \"a;b\""}));
  EXPECT_EQ(SplitStatements("SELECT 1 -- a;b\n;SELECT 2;").statements, (Statements{"SELECT 1 -- a;b", "SELECT 2"}));
  EXPECT_EQ(SplitStatements("SELECT /* a; /* ; */ ; */ 1;").statements, (Statements{"SELECT /* a; /* ; */ ; */ 1"}));
  EXPECT_EQ(SplitStatements("SELECT $$a;b$$, $t$ $$; $t$;").statements, (Statements{"SELECT $$a;b$$, $t$ $$; $t$"}));
  EXPECT_EQ(SplitStatements("SELECT $1; SELECT $2;").statements, (Statements{"SELECT $1", "SELECT $2"}));
  EXPECT_EQ(SplitStatements("SELECT data->>'$.a;b';").statements, (Statements{"SELECT data->>'$.a;b'"}));
}

TEST(SplitStatements, WhatIsNotEndedIsTheRest) {
  auto split = SplitStatements("SELECT 1; SELECT 'a;");
  EXPECT_EQ(split.statements, (Statements{"SELECT 1"}));
  EXPECT_EQ(split.rest, " SELECT 'a;");
  EXPECT_FALSE(split.rest_is_blank);
  EXPECT_FALSE(SplitStatements("/* a ;").rest_is_blank);
  EXPECT_FALSE(SplitStatements("$$ ;").rest_is_blank);
}

TEST(SplitStatements, BlanksAndCommentsAreNoStatement) {
  for (auto* text : {"", " \n", ";;", "-- a;b", "/* a */ ;", "-- a\n;"}) {
    auto split = SplitStatements(text);
    EXPECT_TRUE(split.statements.empty()) << text;
    EXPECT_TRUE(split.rest_is_blank) << text;
  }
}

}  // namespace
}  // namespace sluice::cli
