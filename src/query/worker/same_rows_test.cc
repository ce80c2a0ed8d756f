// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "duckdb.hpp"
#include "query/worker/worker_fixture.h"

namespace sluice::query {
namespace {

const std::vector<std::string> kConditions = {
    "type = 'order.paid'", "type IN ('page.viewed', 'sensor.read')", "type <> 'order.created'", "type LIKE 'order%'", "type LIKE '%ed'",
    "time >= '2025-11-13 03:30:00Z'", "time < '2025-11-13 02:40:00Z'", "time BETWEEN '2025-11-13 03:40:00Z' AND '2025-11-13 04:20:00Z'", "subject IS NULL", "subject IS NOT NULL",
    "subject = 'user-123'", "subject > 'user-4'", "id < '8'", "id > 'f'", "length(data) > 45", "data LIKE '%gold%'", "data IS NULL", "source = '/shop/3'",
    "coalesce(subject, 'x') < 'user-2'", "date_trunc('hour', time) = '2025-11-13 03:00:00Z'", "NOT (type = 'order.paid')", "subject NOT IN ('user-1', 'user-2')",
    "(type = 'order.paid' OR subject IS NULL)", "false", "source > '/shop/7' AND source < '/shop/9'", "is_late_arrival", "NOT is_late_arrival", "log_offset % 7 = 3", "log_offset BETWEEN 5900 AND 6100",
    "extensions IS NULL", "extensions['region'] = 'eu-2'", "cardinality(extensions) = 2", "schema_id IS NULL", "data_binary IS NULL", "specversion = '1.0'", "specversion <> '1.0'", "producer = 'x'",
    "tenant = 'default'", "log_partition IN (3, 4)", "(data->>'$.amount')::INTEGER > 500", "id IN (SELECT id FROM {table} WHERE subject = 'user-77')", "time > (SELECT max(time) - INTERVAL 20 MINUTE FROM {table})"};

constexpr uint64_t kSeed = 20'251'113;
constexpr int kRuns = 100;

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

// Goal: hot rows, cold rows and both together answer as one plain table would.
// Method: the same events, once split into a file and chunks behind a worker, once in a native DuckDB table; random predicates.
TEST(SameRows, AsPlainDuckDbForRandomPredicates) {
  TestSession s;
  auto events = MakeTestEvents(0, 12'000);
  std::vector<TestEvent> cold(events.begin(), events.begin() + 6'000), hot(events.begin() + 6'000, events.end());
  auto table = TestLake::NewEventsTable("events");
  table.files.push_back(s.lake.WriteFile("cold.parquet", cold));
  table.chunks = s.lake.WriteChunks(hot);
  s.lake.Put(table);
  s.lake.WriteFile("hot.parquet", hot);
  duckdb::DuckDB database(nullptr);
  duckdb::Connection plain(database);
  auto run = [&](const std::string& sql) {
    auto result = plain.Query(sql);
    EXPECT_FALSE(result->HasError()) << sql << ": " << result->GetError();
    return result;
  };
  run("SET TimeZone='UTC'");
  run("CREATE TABLE events__lake AS FROM read_parquet('" + (s.lake.directory / "cold.parquet") + "')");
  run("CREATE TABLE events__hot AS FROM read_parquet('" + (s.lake.directory / "hot.parquet") + "')");
  run("CREATE TABLE events AS FROM events__lake UNION ALL FROM events__hot");

  uint64_t state = kSeed;
  auto pick = [&](size_t n) {
    state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return static_cast<size_t>((state >> 33) % n);
  };
  int with_rows = 0;
  for (int i = 0; i < kRuns; i++) {
    std::string name = std::vector<std::string>{"events", "events__hot", "events__lake"}[pick(3)];
    std::string where = kConditions[pick(kConditions.size())];
    for (auto more = pick(3); more > 0; more--) where = "(" + where + (pick(3) != 0 ? " AND " : " OR ") + kConditions[pick(kConditions.size())] + ")";
    std::string sql = "SELECT count(*)::BIGINT, count(subject)::BIGINT, coalesce(bit_xor(hash(id, source, type, time, subject, data, log_offset, is_late_arrival))::VARCHAR, ''), "
                      "coalesce(sum(length(extensions['note'])), 0)::BIGINT FROM {table} WHERE " + where;
    auto expected = run(Replace(sql, "{table}", name));
    std::string line;
    for (duckdb::idx_t c = 0; c < expected->ColumnCount(); c++) line += (c == 0 ? "" : "|") + expected->GetValue(c, 0).ToString();
    with_rows += expected->GetValue(0, 0).GetValue<int64_t>() > 0;
    EXPECT_EQ(s.Run(Replace(sql, "{table}", "bronze." + name)).text(), line + "\n") << sql << " of " << name;
  }
  EXPECT_GT(with_rows, kRuns / 2) << "the predicates should mostly find something";
}

}  // namespace
}  // namespace sluice::query
