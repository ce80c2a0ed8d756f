// SPDX-License-Identifier: Apache-2.0
#include "cli/text_table.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(DisplayWidth, CountsWhatIsSeen) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("é"), 1u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);
  EXPECT_EQ(DisplayWidth("海老名"), 6u);
  EXPECT_EQ(DisplayWidth("🌍"), 2u);
  EXPECT_EQ(DisplayWidth("\xff\xc3"), 2u);
}

TEST(FitText, CutsByWidthAndNeverInsideOfACharacter) {
  EXPECT_EQ(FitText("abcd", 4), "abcd");
  EXPECT_EQ(FitText("abcde", 4), "abc…");
  EXPECT_EQ(FitText("海老名市", 8), "海老名市");
  EXPECT_EQ(FitText("海老名市", 7), "海老名…");
  EXPECT_EQ(FitText("海老名市", 6), "海老…");
}

TEST(Printable, DataCannotDriveTheTerminal) { EXPECT_EQ(Printable("a\x1b[31m\nb\t\x7f"), "a\\x1b[31m\\nb\\t\\x7f"); }

TEST(RenderTable, AlignsNumbersToTheRightAndWideTextByWhatIsSeen) {
  EXPECT_EQ(RenderTable({{"id"}, {"mag", true}, {"place"}}, {{"a", "1.5", "海老"}, {"bcd", "10.25", "x"}}, {}),
            "id  │   mag │ place\n"
            "────┼───────┼──────\n"
            "a   │   1.5 │ 海老\n"
            "bcd │ 10.25 │ x\n");
}

TEST(RenderTable, NullIsNotTheEmptyStringNorTheWord) {
  const auto plain = RenderTable({{"v"}, {"n", true}}, {{std::nullopt, "1"}, {"", "2"}}, {});
  EXPECT_NE(plain.find("NULL │ 1"), std::string::npos);
  EXPECT_NE(plain.find("     │ 2"), std::string::npos);
  const auto colored = RenderTable({{"v"}}, {{std::nullopt}, {"NULL"}}, {.colored = true});
  EXPECT_NE(colored.find("\033[2mNULL\033[0m\nNULL\n"), std::string::npos) << colored;
}

TEST(RenderTable, LongCellsAreCutWhenAsked) {
  EXPECT_NE(RenderTable({{"v"}}, {{"abcdefgh"}}, {.cell_width_max = 5}).find("abcd…\n"), std::string::npos);
}

TEST(HideColumns, TheMiddleGoesAndTheEndsStay) {
  const std::vector<TextColumn> columns{{"aa"}, {"bb"}, {"cc", true}, {"dd"}};
  const std::vector<TextRow> rows{{"1", std::nullopt, "3", "4"}};
  auto fit = [&](size_t width, size_t hidden) {
    auto c = columns;
    auto r = rows;
    EXPECT_EQ(HideColumns(c, r, {}, width), hidden);
    return RenderTable(c, r, {});
  };
  EXPECT_EQ(fit(19, 0), "aa │ bb   │ cc │ dd\n───┼──────┼────┼───\n1  │ NULL │  3 │ 4\n");
  EXPECT_EQ(fit(18, 1), "aa │ bb   │ … │ dd\n───┼──────┼───┼───\n1  │ NULL │ … │ 4\n");
  EXPECT_EQ(fit(17, 2), "aa │ … │ dd\n───┼───┼───\n1  │ … │ 4\n");
  EXPECT_EQ(fit(1, 2), "aa │ … │ dd\n───┼───┼───\n1  │ … │ 4\n");
}

TEST(RenderRecords, OneLineAValue) {
  EXPECT_EQ(RenderRecords({{"id"}, {"place"}}, {{"a", std::nullopt}}, {}), "─[ row 1 ]─\nid    │ a\nplace │ NULL\n");
}

}  // namespace
}  // namespace sluice::cli
