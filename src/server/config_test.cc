// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include <gtest/gtest.h>

#include "server/config_keys.h"

namespace sluice::server {
namespace {

TEST(Config, EveryKeyCanBeSetFromItsOwnDefault) {
  for (auto& key : ConfigKeys()) {
    ServerOptions options;
    const auto before = key.get(options);
    EXPECT_TRUE(key.set(options, before).ok()) << key.name << " = " << before;
    EXPECT_EQ(key.get(options), before) << key.name;
  }
}

TEST(Config, ReadsNestedKeysUnitsRulesAndTopics) {
  ServerOptions o;
  auto applied = ApplyConfigText(R"yaml(
listen: 127.0.0.1:0
tier: {interval_ms: 250, rows_max: 2000}
journal.segment_bytes: 8 MiB
routing:
  default_topic: raw-other
  rules: [{type: "order.*", topic: raw-orders}]
topics:
  raw-orders: {partitions: 12, key: [/data/order_id, /type], partitioning: "identity(type), day(time)"}
)yaml", "c.yaml", o);
  ASSERT_TRUE(applied.ok()) << applied.error().ToString();
  EXPECT_EQ(o.listen, "127.0.0.1:0");
  EXPECT_EQ(o.tier.interval_us, 250'000);
  EXPECT_EQ(o.tier.rows_max, 2000u);
  EXPECT_EQ(o.log.segment_bytes, uint64_t{8} << 20);
  ASSERT_EQ(o.routing.rules.size(), 1u);
  EXPECT_EQ(o.routing.rules[0].topic, "raw-orders");
  EXPECT_EQ(o.topics["raw-orders"].key, (std::vector<std::string>{"/data/order_id", "/type"}));
  EXPECT_EQ(o.topics["raw-orders"].partitions, 12);
}

// Goal: what is wrong is named with its line, its reason and a way out.
TEST(Config, NamesLineKeyAndNearestName) {
  struct Case { const char *yaml, *part; };
  for (auto& c : std::vector<Case>{{"\ntier: {intervall_ms: 1}", "c.yaml:2: there is no setting \"tier.intervall_ms\" (did you mean \"tier.interval_ms\"?)"},
                                   {"listen: [1]", "no single value"},
                                   {"sql.workers: two", "no whole number"},
                                   {"- a", "no map of settings"},
                                   {"a: [", "not YAML"},
                                   {"topics: {Bad: {partitions: 1}}", "no topic name"},
                                   {"topics: {a: {partitions: 0}}", "between 1 and"},
                                   {"topics: {a: {partition: 1}}", "did you mean \"partitions\"?"},
                                   {"topics: {a: {key: [data]}}", "no JSON pointer"},
                                   {"topics: {a: {partitioning: \"hour(type)\"}}", "not possible"},
                                   {"topics: {a: {partitioning: \"hour(tyme)\"}}", "\"tyme\""},
                                   {"routing: {rules: [{type: a}]}", "exactly \"type\" and \"topic\""}}) {
    ServerOptions o;
    auto applied = ApplyConfigText(c.yaml, "c.yaml", o);
    ASSERT_FALSE(applied.ok()) << c.yaml;
    EXPECT_NE(applied.error().ToString().find(c.part), std::string::npos) << applied.error().ToString();
  }
}

TEST(Config, EnvironmentNamesFollowTheKeys) {
  ServerOptions o;
  ASSERT_TRUE(ApplyEnvironment([](const std::string& name) { return name == "SLUICE_TIER__INTERVAL_MS" ? std::optional<std::string>("77") : std::nullopt; }, o).ok());
  EXPECT_EQ(o.tier.interval_us, 77'000);
  auto refused = ApplyEnvironment([](const std::string& name) { return name == "SLUICE_SQL__WORKERS" ? std::optional<std::string>("-1") : std::nullopt; }, o);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("SLUICE_SQL__WORKERS"), std::string::npos);
}

TEST(Config, DefaultsAreValid) { EXPECT_TRUE(ServerOptions().Validate().ok()); }

TEST(Config, BoundsAreChecked) {
  auto refuses = [](auto change) {
    ServerOptions o;
    change(o);
    return !o.Validate().ok();
  };
  EXPECT_TRUE(refuses([](auto& o) { o.sql.workers = 0; }));
  EXPECT_TRUE(refuses([](auto& o) { o.sql.workers = 65; }));
  EXPECT_FALSE(refuses([](auto& o) { o.tier.rows_max = 1'000'000'000; }));  // when a commit is due, not how large it gets
  // Beyond these a commit's data files would need more memory than they have (tier/data_file_stager.h).
  EXPECT_TRUE(refuses([](auto& o) { o.tier.files.row_group_rows_max = (128 << 10) + 1; }));
  EXPECT_TRUE(refuses([](auto& o) { o.tier.files.page_bytes = (1 << 20) + 1; }));
  EXPECT_TRUE(refuses([](auto& o) { o.hot_bytes_max = (64u << 20) - 1; }));
  EXPECT_TRUE(refuses([](auto& o) { o.tier.interval_us = 9'999; }));
  EXPECT_TRUE(refuses([](auto& o) { o.http.inflated_bytes_max = o.http.body_bytes_max - 1; }));
  EXPECT_TRUE(refuses([](auto& o) { o.log_level = "loud"; }));
  EXPECT_TRUE(refuses([](auto& o) { o.partitioning = "month(id)"; }));
}

}  // namespace
}  // namespace sluice::server
