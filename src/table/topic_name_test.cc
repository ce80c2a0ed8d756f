// SPDX-License-Identifier: Apache-2.0
#include "table/topic_name.h"

#include <gtest/gtest.h>

namespace sluice::table {
namespace {

TEST(TopicName, LayerPrefixNamesTheNamespace) {
  EXPECT_EQ(TableNameOf("raw-events").ToString(), "bronze.events");
  EXPECT_EQ(TableNameOf("raw-system-events").ToString(), "bronze.system_events");
  EXPECT_EQ(TableNameOf("bronze-x").ToString(), "bronze.x");
  EXPECT_EQ(TableNameOf("silver-daily-orders").ToString(), "silver.daily_orders");
  EXPECT_EQ(TableNameOf("gold-kpi").ToString(), "gold.kpi");
  EXPECT_EQ(TableNameOf("quakes").ToString(), "bronze.quakes");
  EXPECT_EQ(TableNameOf("raw-").ToString(), "bronze.raw_");
}

TEST(TopicName, RefusesWhatIsNoName) {
  EXPECT_TRUE(CheckTopicName("a").ok());
  EXPECT_TRUE(CheckTopicName(std::string(kTopicNameBytesMax, 'a')).ok());
  EXPECT_FALSE(CheckTopicName(std::string(kTopicNameBytesMax + 1, 'a')).ok());
  for (auto* bad : {"", "-a", "_a", "A", "a b", "a__b", "__topics", "a/b", "\xc3\xa4"}) EXPECT_FALSE(CheckTopicName(bad).ok()) << bad;
}

TEST(TableName, IsTwoNames) {
  EXPECT_EQ(ParseTableName("bronze.events")->name, "events");
  for (auto* bad : {"", "events", "bronze.", ".x", "a.b.c", "a.B", "a.b c"}) EXPECT_FALSE(ParseTableName(bad).ok()) << bad;
}

}  // namespace
}  // namespace sluice::table
