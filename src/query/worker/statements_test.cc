// SPDX-License-Identifier: Apache-2.0
//
// Whole statements in real worker processes: names, versions, parameters, statistics, errors.
#include <gtest/gtest.h>

#include <algorithm>

#include "iceberg/data_file_seal.h"
#include "query/worker/worker_fixture.h"

namespace sluice::query {
namespace {

class StatementsTest : public testing::Test {
 protected:
  // Two files of 3,000 rows and 4,000 hot ones; row i has log_offset i.
  static void SetUpTestSuite() {
    shared = new TestSession();
    auto table = TestLake::NewEventsTable("events");
    table.files.push_back(shared->lake.WriteFile("a.parquet", MakeTestEvents(0, 3'000)));
    table.files.push_back(shared->lake.WriteFile("b.parquet", MakeTestEvents(3'000, 3'000)));
    table.chunks = shared->lake.WriteChunks(MakeTestEvents(6'000, 4'000));
    table.snapshots[41] = {table.files[0]};
    table.snapshots[42] = table.files;
    shared->lake.Put(table);
    auto deleted = TestLake::NewEventsTable("deleted");
    deleted.files = {table.files[0]};
    auto positions = std::make_shared<std::vector<int64_t>>();
    for (int64_t i = 0; i < 3'000; i += 3) positions->push_back(i);
    deleted.files[0].deleted_rows = positions;
    shared->lake.Put(deleted);
    auto broken = TestLake::NewEventsTable("broken");
    broken.files = table.files;
    broken.scan_error = Error{ErrorCode::kUnavailable, "the manifest could not be read", "try again"};
    shared->lake.Put(broken);
    auto missing = TestLake::NewEventsTable("missing");
    missing.files = table.files;
    missing.files[0].uri += ".gone";
    shared->lake.Put(missing);
  }
  static void TearDownTestSuite() {
    delete shared;
    shared = nullptr;
  }
  static std::string Answer(const std::string& sql, std::vector<SqlParameter> parameters = {}) {
    return shared->Run(sql, std::move(parameters)).text();
  }
  static TestSession* shared;
};
TestSession* StatementsTest::shared = nullptr;

TEST_F(StatementsTest, AnswerWithoutATable) { EXPECT_EQ(Answer("SELECT 1 AS one, 'x' AS two"), "1|x\n"); }

TEST_F(StatementsTest, CountHotAndLakeRowsOnce) {
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events"), "10000\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM events"), "10000\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM BRONZE.Events"), "10000\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events__hot"), "4000\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events__lake"), "6000\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.\"events$hot\""), "4000\n");
  EXPECT_EQ(Answer("SELECT count(*), count(DISTINCT id), sum(log_offset) FROM bronze.events"), "10000|10000|49995000\n");
}

TEST_F(StatementsTest, ShowTheSameColumnsHotAndCold) {
  auto columns =
      "id, source, type, specversion, time, subject, data, data_binary, extensions, schema_id, tenant, is_late_arrival, log_partition, "
      "log_offset, producer";
  auto row = [&](const char* part, int offset) {
    return Answer("SELECT " + std::string(columns) + " FROM bronze.events__" + part + " WHERE log_offset = " + std::to_string(offset));
  };
  auto expect = [](uint64_t number) {
    auto e = MakeTestEvent(number);
    return e.id + "|" + e.source + "|" + e.type + "|1.0|";
  };
  EXPECT_TRUE(row("lake", 0).starts_with(expect(0))) << row("lake", 0);
  EXPECT_TRUE(row("hot", 6'000).starts_with(expect(6'000))) << row("hot", 6'000);
  auto all = shared->Run("SELECT * FROM bronze.events LIMIT 1");
  EXPECT_EQ(all.names.size(), 25u);
}

TEST_F(StatementsTest, ReadMapsFromHotAndColdRows) {
  std::string expected;
  for (uint64_t i = 0; i < 10'000; i++)
    if (auto e = MakeTestEvent(i); !e.extensions.empty()) expected = e.extensions[0].second;  // the last one is hot
  EXPECT_EQ(Answer("SELECT extensions['region'] FROM bronze.events WHERE extensions IS NOT NULL ORDER BY log_offset DESC LIMIT 1"),
            expected + "\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM (SELECT count(*) FROM bronze.events WHERE extensions['note'] LIKE '%twelve bytes' GROUP BY "
                   "extensions['region'] HAVING count(*) > 100)"),
            "4\n");
}

TEST_F(StatementsTest, KnowTheOldColumnNames) {
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events WHERE event_id = id AND event_type = type AND event_timestamp = time AND "
                   "source_system = source AND payload IS NOT DISTINCT FROM data AND "
                   "metadata IS NOT DISTINCT FROM extensions"),
            "10000\n");
  auto names = shared->Run("SELECT * FROM bronze.events LIMIT 0").names;
  EXPECT_EQ(std::count(names.begin(), names.end(), "event_id"), 0);
}

// A column that stands twice in a scan's column list makes the Parquet reader mix rows up: two aliases of one column, the
// column itself, and a filter on each must still answer rightly.
TEST_F(StatementsTest, GiveRightRowsWhenAColumnIsNamedTwice) {
  for (uint64_t i : {17u, 4'711u, 8'888u}) {
    auto e = MakeTestEvent(i);
    auto sql = "SELECT id, event_id, log_offset, event_id = id, type, event_type FROM bronze.events WHERE event_id = '" + e.id +
               "' AND id > '' AND event_type = type";
    EXPECT_EQ(Answer(sql), e.id + "|" + e.id + "|" + std::to_string(i) + "|true|" + e.type + "|" + e.type + "\n");
  }
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events a JOIN bronze.events b ON a.event_id = b.id AND a.id = b.event_id WHERE "
                   "a.event_type = b.type"),
            "10000\n");
  EXPECT_EQ(Answer("SELECT count(*), count(DISTINCT event_id) FROM (SELECT event_id, id, row_number() OVER (PARTITION BY type ORDER BY "
                   "event_timestamp DESC, time) r FROM bronze.events)"),
            "10000|10000\n");
}

TEST_F(StatementsTest, PruneByPushedFilters) {
  auto scans = [&](const std::string& sql) {
    auto before = shared->lake.scans().size();
    auto result = shared->Run(sql);
    EXPECT_FALSE(result.error) << result.text();
    auto all = shared->lake.scans();
    return all.size() > before ? all.back() : std::vector<iceberg::ColumnFilter>{};
  };
  auto one = scans("SELECT count(DISTINCT id) FROM bronze.events WHERE type = 'order.paid' AND time >= '2025-11-13 02:13:20Z'");
  ASSERT_EQ(one.size(), 2u);
  std::sort(one.begin(), one.end(), [](auto& a, auto& b) { return a.field_id < b.field_id; });
  EXPECT_EQ(one[0].field_id, 3);
  EXPECT_EQ(one[0].op, iceberg::FilterOp::kEqual);
  EXPECT_EQ(one[0].values, std::vector<iceberg::Value>{std::string("order.paid")});
  EXPECT_EQ(one[1].field_id, 5);
  EXPECT_EQ(one[1].op, iceberg::FilterOp::kGreaterEqual);
  EXPECT_EQ(one[1].values, std::vector<iceberg::Value>{int64_t{1'763'000'000'000'000}});
  auto in = scans("SELECT max(id) FROM bronze.events WHERE event_type IN ('a', 'b')");
  ASSERT_EQ(in.size(), 1u);
  EXPECT_EQ(in[0].op, iceberg::FilterOp::kIn);
  EXPECT_EQ(in[0].values.size(), 2u);
  EXPECT_TRUE(std::any_of(in.begin(), in.end(), [](auto& f) { return f.field_id == 3; }));
  auto day = scans("SELECT max(id) FROM bronze.events WHERE time::DATE = '2025-11-13' AND starts_with(type, 'order.')");
  ASSERT_EQ(day.size(), 4u);
  constexpr int64_t kMidnight = 1'762'992'000'000'000;
  EXPECT_TRUE(std::find(day.begin(), day.end(), iceberg::ColumnFilter{5, iceberg::FilterOp::kGreaterEqual, {kMidnight}}) != day.end());
  EXPECT_TRUE(std::find(day.begin(), day.end(), iceberg::ColumnFilter{5, iceberg::FilterOp::kLess, {kMidnight + 86'400'000'000}}) !=
              day.end());
  EXPECT_TRUE(std::find(day.begin(), day.end(), iceberg::ColumnFilter{3, iceberg::FilterOp::kLess, {std::string("order/")}}) != day.end());
  auto join = scans("SELECT max(id) FROM bronze.events e JOIN (VALUES ('order.paid')) v(t) ON e.type = v.t");
  EXPECT_TRUE(std::any_of(join.begin(), join.end(), [](auto& f) { return f.field_id == 3; })) << "join filters arrive, too";
}

TEST_F(StatementsTest, BindParameters) {
  auto e = MakeTestEvent(77);
  EXPECT_EQ(Answer("SELECT log_offset FROM bronze.events WHERE id = ?", {e.id}), "77\n");
  EXPECT_EQ(Answer("SELECT $2 || $1, $3 + 1, $4, $5 IS NULL", {std::string("b"), std::string("a"), int64_t{41}, true, std::monostate()}),
            "ab|42|true|true\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events WHERE time < $1", {std::string("2025-11-13T02:13:21Z")}), "1\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events WHERE log_offset = $1 OR log_offset = $2", {int64_t{5}, 6.0}), "2\n");
  EXPECT_EQ(shared->Run("SELECT ?", {}).error->kind, QueryErrorKind::kInvalid);
  EXPECT_EQ(shared->Run("SELECT 1", {int64_t{1}}).error->kind, QueryErrorKind::kInvalid);
}

TEST_F(StatementsTest, ReadOlderVersionsWithoutHotRows) {
  EXPECT_EQ(Answer("SELECT count(*), max(log_offset) FROM bronze.events AT (VERSION => 41)"), "3000|2999\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events AT (VERSION => 42)"), "6000\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events AT (TIMESTAMP => TIMESTAMP '2025-11-13 12:00:00')"), "3000\n");
  EXPECT_EQ(Answer("SELECT (SELECT count(*) FROM bronze.events AT (VERSION => 41)), (SELECT count(*) FROM bronze.events)"), "3000|10000\n");
  auto unknown = shared->Run("SELECT count(*) FROM bronze.events AT (VERSION => 9)");
  ASSERT_TRUE(unknown.error);
  EXPECT_EQ(unknown.error->kind, QueryErrorKind::kUnknownName);
  EXPECT_EQ(unknown.error->message, "bronze.events has no snapshot 9");
  EXPECT_EQ(unknown.error->hint, "SELECT * FROM bronze.events__snapshots lists them");
  EXPECT_EQ(shared->Run("SELECT count(*) FROM bronze.events__hot AT (VERSION => 41)").error->kind, QueryErrorKind::kInvalid);
}

TEST_F(StatementsTest, ReadMetadataTables) {
  EXPECT_EQ(Answer("SELECT * FROM bronze.events__snapshots ORDER BY 1"), "41|1 files\n42|2 files\n");
  EXPECT_EQ(Answer("SELECT count(*), max(snapshot_id) FROM bronze.\"events$snapshots\" WHERE note LIKE '2%'"), "1|42\n");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events__files"), "2\n");
  EXPECT_EQ(Answer("SELECT a.snapshot_id FROM bronze.events__snapshots a JOIN bronze.events__snapshots b USING (snapshot_id) ORDER BY 1"),
            "41\n42\n");
}

TEST_F(StatementsTest, LeaveDeletedRowsOut) {
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.deleted"), "2000\n");
  EXPECT_EQ(Answer("SELECT count(*), count(*) FILTER (log_offset % 3 = 0) FROM bronze.deleted WHERE id > ''"), "2000|0\n");
  EXPECT_EQ(Answer("SELECT id FROM bronze.deleted WHERE log_offset = 3"), "");
  EXPECT_EQ(Answer("SELECT log_offset FROM bronze.deleted WHERE log_offset = 4"), "4\n");
}

TEST_F(StatementsTest, ListAndDescribeTables) {
  EXPECT_NE(Answer("SHOW TABLES").find("events"), std::string::npos);
  auto described = Answer("DESCRIBE bronze.events");
  EXPECT_NE(described.find("time|TIMESTAMP WITH TIME ZONE"), std::string::npos) << described;
  EXPECT_NE(described.find("extensions|MAP(VARCHAR, VARCHAR)"), std::string::npos) << described;
  EXPECT_EQ(described.find("event_id"), std::string::npos);
  EXPECT_NE(Answer("SELECT table_name FROM information_schema.tables WHERE table_schema = 'bronze'").find("events"), std::string::npos);
  EXPECT_FALSE(shared->Run("SUMMARIZE SELECT type, log_offset FROM bronze.events").error);
  EXPECT_FALSE(shared->Run("EXPLAIN SELECT * FROM bronze.events WHERE type = 'x'").error);
  auto analyzed = Answer("EXPLAIN ANALYZE SELECT count(DISTINCT id) FROM bronze.events");
  EXPECT_EQ(analyzed.find("lakefd"), std::string::npos);
}

TEST_F(StatementsTest, CountWhatWasRead) {
  auto result = shared->Run("SELECT id FROM bronze.events");
  EXPECT_EQ(result.stats.rows, 10'000);
  EXPECT_EQ(result.stats.files_read, 2);
  EXPECT_EQ(result.stats.rows_hot, 4'000);
  EXPECT_EQ(result.stats.rows_lake, 6'000);
  EXPECT_GT(result.stats.bytes_read, 10'000u);
  EXPECT_GT(result.stats.elapsed_us, 0);
  ASSERT_EQ(result.stats.tables.size(), 1u);
  EXPECT_EQ(result.stats.tables[0].name, "events");
  EXPECT_EQ(result.stats.tables[0].freshness.snapshot_id, 7);
}

TEST_F(StatementsTest, PointAtTheMistake) {
  auto syntax = shared->Run("SELECT 1 FORM bronze.events");
  ASSERT_TRUE(syntax.error);
  EXPECT_EQ(syntax.error->kind, QueryErrorKind::kSyntax);
  EXPECT_EQ(syntax.error->position, 15u);
  EXPECT_EQ(syntax.error->message.find("LINE"), std::string::npos) << syntax.error->message;
  auto table = shared->Run("SELECT 'ä' FROM bronze.evnts");
  ASSERT_TRUE(table.error);
  EXPECT_EQ(table.error->kind, QueryErrorKind::kUnknownName);
  EXPECT_EQ(table.error->position, 17u) << "characters, not bytes";
  EXPECT_NE(table.error->hint.find("events"), std::string::npos) << table.error->message << " / " << table.error->hint;
  auto column = shared->Run("SELECT sourse FROM bronze.events");
  ASSERT_TRUE(column.error);
  EXPECT_EQ(column.error->kind, QueryErrorKind::kUnknownName);
  EXPECT_EQ(column.error->position, 8u);
  EXPECT_NE(column.error->hint.find("source"), std::string::npos) << column.error->message << " / " << column.error->hint;
  EXPECT_EQ(shared->Run("SELECT 'x'::INTEGER").error->kind, QueryErrorKind::kInvalid);
  EXPECT_EQ(shared->Run("").error->kind, QueryErrorKind::kSyntax);
  EXPECT_EQ(shared->Run("SELECT * FROM silver.events").error->kind, QueryErrorKind::kUnknownName);
}

TEST_F(StatementsTest, TellWhyTheServerRefused) {
  auto refused = shared->Run("SELECT max(id) FROM bronze.broken");
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->kind, QueryErrorKind::kUnavailable);
  EXPECT_EQ(refused.error->message, "the manifest could not be read");
  auto gone = shared->Run("SELECT max(id) FROM bronze.missing");
  ASSERT_TRUE(gone.error);
  EXPECT_EQ(gone.error->kind, QueryErrorKind::kUnavailable);
  EXPECT_EQ(gone.error->message, "a data file could not be opened");
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.missing"), "6000\n") << "no file is needed for that";
}

// Found by review: files of hot rows were read as they lay, and a byte that the disk changed could be an answer.
TEST_F(StatementsTest, NameDamagedHotRowsInsteadOfReadingThem) {
  auto table = TestLake::NewEventsTable("rotten_hot");
  table.chunks = shared->lake.WriteChunks(MakeTestEvents(0, 10));
  table.chunks[0].check = [] { return Result<void>(Error{ErrorCode::kCorruption, "a file of hot rows is damaged", "restart the server"}); };
  shared->lake.Put(table);
  auto refused = shared->Run("SELECT max(id) FROM bronze.rotten_hot");
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->kind, QueryErrorKind::kInternal);
  EXPECT_NE(refused.error->message.find("a file of hot rows is damaged"), std::string::npos) << refused.error->message;
  table.chunks[0].check = [] { return Result<void>(); };
  shared->lake.Put(table);
  EXPECT_EQ(Answer("SELECT count(id) FROM bronze.rotten_hot"), "10\n");
}

// Goal: DuckDB compares no checksum, so that a rotten byte of a page, a page header or a footer could be an answer.
// Method: one bit in each of many places of a sealed file; every time another file, because a worker remembers footers.
TEST_F(StatementsTest, NameADamagedDataFileInsteadOfReadingIt) {
  auto table = TestLake::NewEventsTable("rotten");
  const auto events = MakeTestEvents(0, 1'000);
  const std::string sql = "SELECT count(*), md5(string_agg(r::VARCHAR, '' ORDER BY log_offset)) FROM bronze.rotten r";
  auto put = [&](ViewFile file) {
    table.files = {std::move(file)};
    shared->lake.Put(table);
    return table.files[0].bytes;
  };
  put(shared->lake.WriteFile("rotten-not-sealed.parquet", events));
  const std::string right = Answer(sql);
  const size_t size = put(shared->lake.WriteSealedFile("rotten-whole.parquet", events));
  ASSERT_EQ(Answer(sql), right);
  ASSERT_GT(size, 2 * iceberg::kSealBlockBytes) << "several blocks";
  constexpr size_t kPlaces = 100;
  for (size_t place = 0; place < kPlaces; place++) {
    const size_t at = place * (size - 8) / kPlaces;
    const std::string name = "rotten-" + std::to_string(at) + ".parquet";
    put(shared->lake.WriteSealedFile(name, events, at));
    auto result = shared->Run(sql);
    ASSERT_TRUE(result.error) << "byte " << at << ": " << result.text();
    EXPECT_EQ(result.error->kind, QueryErrorKind::kInternal);
    EXPECT_NE(result.error->message.find(name + "\" is damaged: "), std::string::npos) << result.text();
  }
  EXPECT_EQ(Answer("SELECT count(*) FROM bronze.events"), "10000\n") << "and others are read on";
}

// Goal: two scans of one statement see one table, whatever happens between them.
// Method: replace the table from within the first scan.
TEST_F(StatementsTest, SeeOneViewWhileTheTableChanges) {
  auto table = TestLake::NewEventsTable("moving");
  auto events = MakeTestEvents(50'000, 2'000);
  table.chunks = shared->lake.WriteChunks(events);
  auto tiered = TestLake::NewEventsTable("moving");
  tiered.files = {shared->lake.WriteFile("moving.parquet", events)};
  bool hot = true;
  shared->lake.Put(table);
  int scans = 0;
  shared->lake.on_scan = [&] {
    scans++;
    hot = !hot;
    shared->lake.Put(hot ? table : tiered);
  };
  for (int i = 0; i < 10; i++)
    EXPECT_EQ(
        Answer("SELECT count(*), (SELECT count(DISTINCT id) FROM bronze.moving) FROM bronze.moving a JOIN bronze.moving b USING (id)"),
        "2000|2000\n");
  shared->lake.on_scan = nullptr;
  EXPECT_GE(scans, 20);
}

TEST_F(StatementsTest, SpillWhatDoesNotFit) {
  SessionOptions options;
  options.workers = 1;
  options.worker.memory_mb = 64;
  TestSession small(options);
  auto result = small.Run(
      "SELECT count(*), max(h) FROM (SELECT h FROM (SELECT md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS h FROM range(1500000)) "
      "ORDER BY h LIMIT 1400000)");
  EXPECT_FALSE(result.error) << result.text();
}

}  // namespace
}  // namespace sluice::query
