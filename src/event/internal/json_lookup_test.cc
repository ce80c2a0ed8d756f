// SPDX-License-Identifier: Apache-2.0
#include "event/internal/json_lookup.h"

#include <gtest/gtest.h>

#include "event/test_bytes.h"

namespace sluice::event::internal {
namespace {

// Goal: text that is not JSON (another producer's record) is never read past its end.
// Method: every prefix, before padding that looks like more of it; what is found lies inside. Run with a sanitizer.
TEST(FindValue, StaysInsideTextThatIsNotJson) {
  const std::string texts[] = {R"({"a":{"b":[1,"x\"y",{"c":"d"}]},"k":"v"})", R"([[1,2,"]"],{"k":3}])", "\"\\", "{\"a\\", "}{", ":::", "{\"k\"", "{\"k\":", ""};
  const std::vector<std::string> pointers[] = {{"k"}, {"a", "b", "2", "c"}, {"1", "k"}, {}, {"0", "5"}};
  for (const auto& text : texts) {
    for (size_t n = 0; n <= text.size(); n++) {
      for (char padding : {'"', '\\', '{', ',', ':', 'x'}) {
        PaddedBytes bytes(text.substr(0, n), padding);
        for (const auto& pointer : pointers) {
          std::string_view found = FindValue(bytes.view(), pointer);
          if (found.data() == nullptr) continue;
          EXPECT_GE(found.data(), bytes.view().data());
          EXPECT_LE(found.data() + found.size(), bytes.view().data() + n);
        }
      }
    }
  }
}

TEST(FindValue, FirstOfNamesThatOccurTwice) {
  PaddedBytes bytes(R"({"k":1,"k":2})");
  std::vector<std::string> pointer{"k"};
  EXPECT_EQ(FindValue(bytes.view(), pointer), "1");
}

}  // namespace
}  // namespace sluice::event::internal
