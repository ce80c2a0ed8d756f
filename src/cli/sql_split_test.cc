// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_split.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using Statements = std::vector<std::string>;

Statements TextsOf(std::string_view text) {
  Statements out;
  for (auto& statement : SplitStatements(text).statements) out.push_back(statement.text);
  return out;
}

TEST(SplitStatements, AtSemicolonsOutsideOfEverything) {
  EXPECT_EQ(TextsOf("SELECT 1; SELECT 2;"), (Statements{"SELECT 1", "SELECT 2"}));
  EXPECT_EQ(TextsOf("SELECT ';', 'it''s;';"), (Statements{"SELECT ';', 'it''s;'"}));
  EXPECT_EQ(TextsOf("SELECT \"a;b\";"), (Statements{"SELECT \"a;b\""}));
  EXPECT_EQ(TextsOf("SELECT 1 -- a;b\n;SELECT 2;"), (Statements{"SELECT 1 -- a;b", "SELECT 2"}));
  EXPECT_EQ(TextsOf("SELECT /* a; /* ; */ ; */ 1;"), (Statements{"SELECT /* a; /* ; */ ; */ 1"}));
  EXPECT_EQ(TextsOf("SELECT $$a;b$$, $t$ $$; $t$;"), (Statements{"SELECT $$a;b$$, $t$ $$; $t$"}));
  EXPECT_EQ(TextsOf("SELECT $1; SELECT $2;"), (Statements{"SELECT $1", "SELECT $2"}));
  EXPECT_EQ(TextsOf("SELECT data->>'$.a;b';"), (Statements{"SELECT data->>'$.a;b'"}));
}

TEST(SplitStatements, WhatIsNotEndedIsTheRest) {
  auto split = SplitStatements("SELECT 1; SELECT 'a;");
  ASSERT_EQ(split.statements.size(), 1u);
  EXPECT_EQ(split.rest.text, "SELECT 'a;");
  EXPECT_FALSE(split.rest_is_blank);
  EXPECT_EQ(SplitStatements("; SELECT 'a \n").rest.text, "SELECT 'a \n");
  EXPECT_FALSE(SplitStatements("/* a ;").rest_is_blank);
  EXPECT_FALSE(SplitStatements("$$ ;").rest_is_blank);
}

TEST(SplitStatements, AQuoteOrACommentThatGoesOnIsOpen) {
  for (auto* text : {"SELECT 'a", "SELECT \"a", "/* a", "SELECT $x$ a", "SELECT 1; SELECT '"})
    EXPECT_TRUE(SplitStatements(text).rest_is_open) << text;
  for (auto* text : {"", "SELECT 'a'", "SELECT 1,", "SELECT 'a';", "-- a"}) EXPECT_FALSE(SplitStatements(text).rest_is_open) << text;
}

TEST(SplitStatements, EachKnowsTheLineItBeginsAt) {
  auto split = SplitStatements("\nSELECT 1;\n\n SELECT\n2; SELECT 3;\n\nSELECT 4");
  EXPECT_EQ(split.statements, (std::vector<SqlStatement>{{"SELECT 1", 2}, {"SELECT\n2", 4}, {"SELECT 3", 5}}));
  EXPECT_EQ(split.rest, (SqlStatement{"SELECT 4", 7}));
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
