// SPDX-License-Identifier: Apache-2.0
#include "event/cloudevents_json.h"

#include <gtest/gtest.h>

namespace sluice::event {
namespace {

TEST(StructuredEvent, KeepsDataByteForByte) {
  std::string body = R"({"specversion":"1.0","id":"a","source":"/s","type":"t","data":{"a":[1,2,{"b":"c"}]},"ext":5})";
  size_t n = body.size();
  body.append(64, '"');
  JsonEventDecoder d;
  EventBatch b;
  auto o = d.DecodeStructured({body.data(), n}, b);
  ASSERT_TRUE(o.ok()) << o.message;
  EXPECT_EQ(b.Get(Attribute::kData, 0), R"({"a":[1,2,{"b":"c"}]})");
}

}  // namespace
}  // namespace sluice::event
