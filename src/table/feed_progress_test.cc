// SPDX-License-Identifier: Apache-2.0
#include "table/feed_progress.h"

#include <gtest/gtest.h>

namespace sluice::table {
namespace {

TEST(FeedProgress, HasTheDocumentedForm) {
  FeedProgress p;
  p.journal_id = "00112233445566778899aabbccddeeff";
  p.partitions[log::LogPartition(0)] = {log::Offset(1707), 0x89abcdef};
  EXPECT_EQ(FormatFeedProgress(p), R"({"v":1,"journal":"00112233445566778899aabbccddeeff","partitions":{"0":{"next":1707,"chain":"89abcdef"}}})");
  EXPECT_EQ(ParseFeedProgress(FormatFeedProgress(p)).value(), p);
  EXPECT_EQ(FeedPropertyName("raw-events"), "sluice.feed.raw-events");
}

TEST(FeedProgress, RefusesWhatItDidNotWrite) {
  for (auto* bad : {"", "{}", "[]", R"({"v":2,"journal":"a","partitions":{}})", R"({"v":1,"partitions":{}})", R"({"v":1,"journal":"a"})",
                    R"({"v":1,"journal":"a","partitions":{"x":{"next":1,"chain":"00000000"}}})", R"({"v":1,"journal":"a","partitions":{"0":{"next":-1,"chain":"00000000"}}})",
                    R"({"v":1,"journal":"a","partitions":{"0":{"next":1,"chain":"0"}}})", R"({"v":1,"journal":"a","partitions":{"0":{"chain":"00000000"}}})"})
    EXPECT_EQ(ParseFeedProgress(bad).error().code, ErrorCode::kCorruption) << bad;
}

}  // namespace
}  // namespace sluice::table
