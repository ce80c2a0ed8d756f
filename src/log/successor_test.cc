// SPDX-License-Identifier: Apache-2.0
#include "log/successor.h"

#include "log/test_log_fixture.h"

namespace sluice::log {
namespace {

constexpr char kNew[] = "/data-new";

struct Row {
  std::string id;
  LogPartition partition;
  Offset offset;
  std::string source = "/test";
};

class SuccessorTest : public LogTest {
 protected:
  Result<SuccessorReport> Make(const std::map<std::string, std::map<LogPartition, TableEnd>>& ends, const std::vector<Row>& rows = {}) {
    SuccessorTables tables;
    tables.ends = ends;
    tables.visit_rows = [&](const std::string&, Offset, const SuccessorTables::Visit& visit) -> Result<void> {
      for (const auto& row : rows) RETURN_IF_ERROR(visit({"default", row.source, row.id, row.partition, row.offset, world_.env().clock.Now()}));
      return {};
    };
    return MakeSuccessor(world_.env(), kTestDirectory, kNew, options_, tables);
  }
  // Three events on partition 0, two on partition 1; the chain of partition 0 behind its second event.
  uint32_t MakeOld() {
    auto log = Open();
    const auto* topic = OpenTopic(*log);
    AppendDurably(*log, topic, kP0, {{"a"}, {"b"}});
    const uint32_t chain = topic->partition(kP0).chain;
    AppendDurably(*log, topic, kP0, {{"c"}});
    AppendDurably(*log, topic, kP1, {{"d"}, {"e"}});
    end_chain_ = topic->partition(kP1).chain;
    EXPECT_TRUE(log->Shutdown().ok());
    return chain;
  }
  std::unique_ptr<Log> OpenNew() {
    auto log = Log::Open(world_.env(), kNew, SmallLogOptions());
    CHECK(log.ok(), log.ok() ? "" : log.error().ToString().c_str());
    return std::move(*log);
  }

  LogOptions options_ = SmallLogOptions();
  uint32_t end_chain_ = 0;  // of partition 1
};

TEST_F(SuccessorTest, KeepsWhatTheTableLacksAndBeginsBehindWhatItHas) {
  Run([&] {
    const uint32_t chain = MakeOld();
    auto report = Make({{"raw-events", {{kP0, {Offset(2), chain}}, {kP1, {Offset(7), 77}}}}});
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    EXPECT_EQ(report->topics.at("raw-events").at(kP0).kept, 1u);
    EXPECT_EQ(report->topics.at("raw-events").at(kP1).kept, 0u);
    auto log = OpenNew();
    EXPECT_EQ(log->journal_id(), report->journal_id);
    EXPECT_EQ(StoredIds(*log, kP0), std::vector<std::string>{"c"});
    EXPECT_EQ(log->source().FirstRetained("raw-events")->at(kP0), Offset(2));
    EXPECT_EQ(log->source().DurableEnds("raw-events")->at(kP1), Offset(7));
    EXPECT_EQ(*log->source().ChainAt("raw-events", kP1, Offset(7)), 0u) << "a chain begins with its journal";
    const auto* topic = OpenTopic(*log);
    EXPECT_EQ(topic->config().first_offsets, (std::map<LogPartition, Offset>{{kP0, Offset(2)}, {kP1, Offset(7)}}));
    auto next = AppendDurably(*log, topic, kP1, {{"f"}});
    EXPECT_EQ(next.rows[0].offset, Offset(7)) << "offsets of the table are given to nobody else";
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(SuccessorTest, KnowsTheEventsOfTheOldLogAndOfTheTable) {
  Run([&] {
    MakeOld();
    auto report = Make({{"raw-events", {{kP0, {Offset(9), 1}}, {kP1, {Offset(9), 1}}}}},
                       {{"x", kP0, Offset(8)}, {"a", kP0, Offset(0)}, {"y", kP0, Offset(9)}});
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    EXPECT_EQ(report->keys_learnt, 1u) << "only what lies between the end of the log and that of the table";
    auto log = OpenNew();
    auto result = Append(*log, OpenTopic(*log), kP0, {{"a"}, {"e"}, {"x"}, {"y"}});
    EXPECT_EQ(result.duplicates, 3u);
    EXPECT_EQ(result.rows[2].offset, Offset(8));
    EXPECT_EQ(result.rows[3].offset, Offset(9));
    ASSERT_TRUE(WaitDurable(world_.env(), *log, result.durable_after));
    ASSERT_TRUE(log->Shutdown().ok());
    log.reset();
    log = OpenNew();
    EXPECT_EQ(Append(*log, OpenTopic(*log), kP0, {{"a"}, {"x"}, {"y"}}).duplicates, 3u) << "after a restart, too";
  });
}

// Goal: what is learnt needs no more memory than a run. Method: many more keys than one run holds.
TEST_F(SuccessorTest, LearnsMoreEventsThanOneRunHolds) {
  Run([&] {
    MakeOld();
    options_.dedup_run_keys_max = 1'000;
    std::vector<Row> rows;
    for (int i = 0; i < 3'500; i++) rows.push_back({"row-" + std::to_string(i), kP0, Offset(3 + i)});
    auto report = Make({{"raw-events", {{kP0, {Offset(3'503), 1}}}}}, rows);
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    EXPECT_EQ(report->keys_learnt, 3'500u);
    EXPECT_GE(world_.env().files.List(std::string(kNew) + "/dedup")->size(), 4u);
    auto log = OpenNew();
    const auto* topic = OpenTopic(*log);
    for (int i = 0; i < 3'500; i += 250) {
      auto result = Append(*log, topic, kP1, {{"row-" + std::to_string(i)}});
      ASSERT_EQ(result.duplicates, 1u) << i;
      EXPECT_EQ(result.rows[0].offset, Offset(3 + i));
    }
    EXPECT_EQ(Append(*log, topic, kP1, {{"a"}}).duplicates, 1u);
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(SuccessorTest, PartitionThatEndsWithItsTableGoesOn) {
  Run([&] {
    MakeOld();
    auto report = Make({{"raw-events", {{kP0, {Offset(9), 1}}, {kP1, {Offset(2), end_chain_}}}}});
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    auto log = OpenNew();
    EXPECT_EQ(Append(*log, OpenTopic(*log), kP1, {{"f"}}).rows[0].offset, Offset(2));
    ASSERT_TRUE(log->Shutdown().ok());
    log.reset();
    EXPECT_EQ(StoredIds(*OpenNew(), kP1), std::vector<std::string>{"f"});
  });
}

TEST_F(SuccessorTest, TopicWithoutATableGoesOnAsItIs) {
  Run([&] {
    MakeOld();
    auto report = Make({});
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    auto log = OpenNew();
    EXPECT_EQ(StoredIds(*log, kP0), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(Append(*log, OpenTopic(*log), kP0, {{"a"}, {"f"}}).rows[1].offset, Offset(3));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

// The topic came after the backup: its first event opens it behind its table (server/pipeline).
TEST_F(SuccessorTest, KnowsTheEventsOfATopicThatTheOldLogDoesNotHave) {
  Run([&] {
    MakeOld();
    auto report = Make({{"raw-later", {{kP0, {Offset(1), 1}}}}}, {{"x", kP0, Offset(0)}});
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    auto log = OpenNew();
    TopicConfig config;
    config.first_offsets[kP0] = Offset(1);
    auto topic = log->OpenTopic("raw-later", config);
    ASSERT_TRUE(topic.ok());
    auto result = Append(*log, *topic, kP0, {{"x"}, {"y"}});
    EXPECT_TRUE(result.rows[0].duplicate);
    EXPECT_EQ(result.rows[1].offset, Offset(1));
    ASSERT_TRUE(log->Shutdown().ok());
  });
}

TEST_F(SuccessorTest, RefusesALogThatLacksEventsToo) {
  Run([&] {
    auto log = Open();
    auto options = TopicConfig();
    options.first_offsets[kP0] = Offset(5);
    auto topic = log->OpenTopic("raw-events", options);
    ASSERT_TRUE(topic.ok());
    AppendDurably(*log, *topic, kP0, {{"a"}});
    ASSERT_TRUE(log->Shutdown().ok());
    log.reset();
    auto report = Make({{"raw-events", {{kP0, {Offset(3), 1}}}}});
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.error().message.find("the log begins at 5"), std::string::npos) << report.error().message;
  });
}

// A copy that took events of its own is not the log of a backup: they would be lost without a word.
TEST_F(SuccessorTest, RefusesALogWithEventsOfItsOwn) {
  Run([&] {
    MakeOld();
    auto by_chain = Make({{"raw-events", {{kP0, {Offset(9), 1}}, {kP1, {Offset(2), end_chain_ + 1}}}}});
    ASSERT_FALSE(by_chain.ok());
    EXPECT_NE(by_chain.error().message.find("diverge before offset 2"), std::string::npos) << by_chain.error().message;
    ASSERT_TRUE(io::RemoveTree(world_.env().files, kNew).ok());
    auto by_row = Make({{"raw-events", {{kP0, {Offset(9), 1}}}}}, {{"a", kP0, Offset(0)}, {"other", kP0, Offset(2)}});
    ASSERT_FALSE(by_row.ok());
    EXPECT_NE(by_row.error().message.find("another event than the log at offset 2"), std::string::npos) << by_row.error().message;
  });
}

}  // namespace
}  // namespace sluice::log
