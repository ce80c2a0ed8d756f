// SPDX-License-Identifier: Apache-2.0
#include "cli/json_text.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

constexpr const char* kDocument = R"( {"a":{"b":[10, {"c":"x,]}\""} ,[]]},"m~n":1.10,"s/t":null,"é":true} )";

std::optional<std::string> TextAt(const char* pointer) {
  auto text = JsonPointer::Parse(pointer)->FindText(kDocument);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

TEST(JsonPointer, FindsTheTextOfAValue) {
  EXPECT_EQ(TextAt("/a/b/0"), "10");
  EXPECT_EQ(TextAt("/a/b/1/c"), R"("x,]}\"")");
  EXPECT_EQ(TextAt("/a/b/2"), "[]");
  EXPECT_EQ(TextAt("/m~0n"), "1.10");
  EXPECT_EQ(TextAt("/s~1t"), "null");
  EXPECT_EQ(TextAt("/é"), "true");
}

TEST(JsonPointer, FindsNothingWhereNothingIs) {
  for (auto* pointer : {"/x", "/a/b/3", "/a/b/-", "/a/b/01", "/a/b/0/x", "/m~0n/0", "/a/b/x"}) {
    EXPECT_EQ(TextAt(pointer), std::nullopt) << pointer;
    EXPECT_EQ(JsonPointer::Parse(pointer)->Find(*Json::Parse(kDocument)), nullptr) << pointer;
  }
}

TEST(JsonPointer, TextAndValueAgree) {
  const auto document = *Json::Parse(kDocument);
  for (auto* pointer : {"", "/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/1/c", "/m~0n", "/s~1t", "/é"}) {
    auto parsed = *JsonPointer::Parse(pointer);
    ASSERT_NE(parsed.Find(document), nullptr) << pointer;
    EXPECT_EQ(*Json::Parse(*parsed.FindText(kDocument)), *parsed.Find(document)) << pointer;
  }
}

TEST(JsonPointer, RefusesWhatIsNone) {
  EXPECT_FALSE(JsonPointer::Parse("a").ok());
  EXPECT_FALSE(JsonPointer::Parse("/a~").ok());
  EXPECT_FALSE(JsonPointer::Parse("/a~2").ok());
}

std::vector<std::string> Elements(std::string_view text, bool& ok) {
  std::vector<std::string> out;
  auto elements = ArrayElements::Open(text);
  for (ok = elements.ok(); ok;) {
    auto next = elements->Next();
    ok = next.ok();
    if (!ok || !*next) break;
    out.emplace_back(**next);
  }
  return out;
}

TEST(ArrayElements, GivesEachElementOnce) {
  bool ok = false;
  EXPECT_EQ(Elements(R"([ {"a":[1,2]} , "]" ,3,[] ])", ok), (std::vector<std::string>{R"({"a":[1,2]})", R"("]")", "3", "[]"}));
  EXPECT_TRUE(ok);
  EXPECT_TRUE(Elements("[]", ok).empty());
  EXPECT_TRUE(ok);
  EXPECT_TRUE(Elements(" [ ] ", ok).empty());
  EXPECT_TRUE(ok);
}

TEST(ArrayElements, ACutArrayIsAnErrorAtEveryByte) {
  const std::string whole = R"([{"a":"x"},"y",[1]])";
  for (size_t size = 1; size < whole.size(); size++) {
    bool ok = true;
    Elements(std::string_view(whole).substr(0, size), ok);
    EXPECT_FALSE(ok) << size;
  }
  bool ok = true;
  Elements("[1 2]", ok);
  EXPECT_FALSE(ok);
  EXPECT_FALSE(ArrayElements::Open("{}").ok());
}

}  // namespace
}  // namespace sluice::cli
