// SPDX-License-Identifier: Apache-2.0
#include "ingest/router.h"

#include <gtest/gtest.h>

namespace sluice::ingest {
namespace {

std::string TopicOf(const Router& router, std::string_view type) { return router.topics()[router.Route(type)]; }

TEST(Router, DefaultsSendKnownTypesToTheirTopics) {
  auto router = Router::Make({}).value();
  EXPECT_EQ(TopicOf(router, "user_action"), "raw-events");
  EXPECT_EQ(TopicOf(router, "transaction"), "raw-transactions");
  EXPECT_EQ(TopicOf(router, "system_event"), "raw-system-events");
  EXPECT_EQ(TopicOf(router, "metric_event"), "raw-metrics");
  EXPECT_EQ(TopicOf(router, "log_event"), "raw-logs");
  EXPECT_EQ(TopicOf(router, "gov.usgs.earthquake"), "raw-events");
}

TEST(Router, ExactWinsOverPrefixAndLongPrefixOverShort) {
  auto router = Router::Make({{{"a.*", "short"}, {"a.b.*", "long"}, {"a.b.c", "exact"}}, "other"}).value();
  EXPECT_EQ(TopicOf(router, "a.b.c"), "exact");
  EXPECT_EQ(TopicOf(router, "a.b.d"), "long");
  EXPECT_EQ(TopicOf(router, "a.x"), "short");
  EXPECT_EQ(TopicOf(router, "a"), "other");
}

TEST(Router, RefusesRulesThatCannotBeMeant) {
  for (auto& rule : std::vector<RoutingRule>{{"", "t"}, {"a*b", "t"}, {"**", "t"}, {"a", "Not A Topic"}, {"a", ""}})
    EXPECT_EQ(Router::Make({{rule}, "t"}).error().code, ErrorCode::kInvalid) << rule.pattern;
  EXPECT_FALSE(Router::Make({{{"a", "t"}, {"a", "u"}}, "t"}).ok());
  EXPECT_FALSE(Router::Make({{{"a*", "t"}, {"a*", "u"}}, "t"}).ok());
  EXPECT_FALSE(Router::Make({{}, "__topics"}).ok());
  EXPECT_TRUE(Router::Make({std::vector<RoutingRule>{{"*", "all"}}, "t"}).ok());
}

}  // namespace
}  // namespace sluice::ingest
