// SPDX-License-Identifier: Apache-2.0
#include "table/known_table.h"

#include <gtest/gtest.h>

namespace sluice::table {
namespace {

TEST(KnownTable, RoundTripsThroughItsBytes) {
  KnownTable known{"3f2a8c1e-0000-4000-8000-000000000001",
                   {"00112233445566778899aabbccddeeff", {{log::LogPartition(3), {log::Offset(1707), 0x89abcdef}}}}};
  const auto text = FormatKnownTable(known);
  EXPECT_EQ(text,
            R"({"v":1,"uuid":"3f2a8c1e-0000-4000-8000-000000000001","progress":"{\"v\":1,\"journal\":\"00112233445566778899aabbccddeeff\",)"
            R"(\"partitions\":{\"3\":{\"next\":1707,\"chain\":\"89abcdef\"}}}"})");
  EXPECT_EQ(*ParseKnownTable(text), known);
}

TEST(KnownTable, RefusesWhatItDidNotWrite) {
  for (auto* text :
       {"", "{}", R"({"v":2,"uuid":"a","progress":"{}"})", R"({"v":1,"uuid":"","progress":"{}"})", R"({"v":1,"uuid":"a","progress":"{}"})"})
    EXPECT_EQ(ParseKnownTable(text).error().code, ErrorCode::kCorruption) << text;
}

}  // namespace
}  // namespace sluice::table
