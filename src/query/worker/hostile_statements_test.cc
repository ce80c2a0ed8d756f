// SPDX-License-Identifier: Apache-2.0
//
// Statements that want more than to read tables. Each must fail, or answer with nothing but harmless values; after each a
// worker answers rightly. None may touch a file outside: a canary is looked for.
#include <gtest/gtest.h>

#include <string>

#include "query/worker/sandbox.h"
#include "query/worker/worker_fixture.h"

namespace sluice::query {
namespace {

// Must fail.
const char* const kForbidden[] = {
    "COPY (SELECT 1) TO '/tmp/sluice_canary.csv'",
    "COPY bronze.events TO '/tmp/sluice_canary.parquet' (FORMAT parquet)",
    "COPY bronze.events FROM '/etc/passwd'",
    "ATTACH '/tmp/sluice_canary.db' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH lake",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '/tmp/x.duckdb_extension'",
    "FORCE INSTALL json",
    "UPDATE EXTENSIONS",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "PRAGMA memory_limit='10GB'",
    "PRAGMA import_database('/tmp')",
    "IMPORT DATABASE '/tmp'",
    "EXPORT DATABASE '/tmp/sluice_canary'",
    "CALL enable_logging('QueryLog', storage := 'file')",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "CREATE TABLE t (a INTEGER)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE TABLE bronze.t AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE SCHEMA s",
    "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM ('a')",
    "CREATE MACRO m() AS 1",
    "CREATE INDEX i ON bronze.events(id)",
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
    "DROP TABLE bronze.events",
    "DROP SCHEMA bronze",
    "ALTER TABLE bronze.events ADD COLUMN x INTEGER",
    "INSERT INTO bronze.events (id) VALUES ('x')",
    "UPDATE bronze.events SET id = 'x'",
    "DELETE FROM bronze.events",
    "TRUNCATE bronze.events",
    "MERGE INTO bronze.events USING (SELECT 1 a) s ON true WHEN MATCHED THEN DELETE",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/sluice_canary.csv'",
    "EXPLAIN CREATE TABLE t (a INTEGER)",
    "EXPLAIN ANALYZE DELETE FROM bronze.events",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY (SELECT 1) TO '/tmp/sluice_canary.csv'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_ndjson_objects('/etc/passwd')",
    "SELECT * FROM read_parquet('/tmp/x.parquet')",
    "SELECT * FROM parquet_scan('lakefd://0/1')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "SELECT * FROM parquet_file_metadata('/tmp/x.parquet')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '/tmp/x.parquet'",
    "SELECT * FROM 'lakefd://0/1.parquet'",
    "SELECT * FROM 'https://example.com/x.csv'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('duckdb_settings')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_extensions()",
    "SELECT * FROM duckdb_logs()",
    "SELECT * FROM duckdb_memory()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM pragma_database_size()",
    "SELECT * FROM pragma_user_agent()",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM arrow_scan_dumb(1, 2, 3)",
    "SELECT * FROM seq_scan('x')",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM force_checkpoint()",
    "SELECT * FROM test_all_types()",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "SELECT nextval('s')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(100000)",
    "SELECT read_text('/etc/passwd')",
    "SELECT json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
};

// May run, fail, be interrupted or be killed; the server lives.
const char* const kHungry[] = {
    "SELECT len(range(1000000000))",
    "SELECT list(range) FROM range(1000000000)",
    "SELECT length(repeat('x', 1000000000))",
    "SELECT length(repeat(repeat('x', 1000000), 100000))",
    "SELECT string_agg(repeat('x', 100000), '') FROM range(1000000)",
    "SELECT length(lpad('x', 2000000000, 'y'))",
    "SELECT length(rpad('x', 2000000000, 'y'))",
    "SELECT bit_count(bitstring('1', 2000000000))",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r",
    "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c",
    "SELECT count(*) FROM range(100000000) a JOIN range(100000000) b ON a.range % 3 = b.range % 3",
    "SELECT count(*) FROM (SELECT DISTINCT md5(range::VARCHAR) FROM range(100000000))",
    "SELECT max(x) FROM (SELECT md5(range::VARCHAR) x FROM range(200000000) ORDER BY x)",
    "SELECT regexp_matches(repeat('a', 100000), '(a|aa)+$')",
    "SELECT regexp_extract_all(repeat('a', 3000000), '(a+)+')",
    "SELECT regexp_matches('x', repeat('(', 100000))",
    "SELECT regexp_matches('aaaa', '((a{1,1000}){1,1000}){1,1000}')",
    "SELECT levenshtein(repeat('ab', 200000), repeat('ba', 200000))",
    "SELECT jaccard(repeat('a', 100000000), repeat('b', 100000000))",
    "SELECT 10::HUGEINT ** 100",
    "SELECT factorial(1000)",
    "SELECT histogram(range) FROM range(50000000)",
    "SELECT * FROM range(9223372036854775807)",
    "SELECT unnest(range(100000000))",
    "SELECT json_extract(repeat('[', 1000000) || repeat(']', 1000000), '$[0]')",
    "SELECT printf('%1000000000d', 1)",
    "SELECT format('{:>1000000000}', 'x')",
    "SELECT list_sort(range(100000000))",
    "PIVOT (SELECT range % 100000 AS a, range AS b FROM range(1000000)) ON a IN (1, 2, 3) USING sum(b)",
};

class HostileTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    SessionOptions options;
    options.workers = 1;
    shared = new TestSession(options);
    auto table = TestLake::NewEventsTable("events");
    table.files.push_back(shared->lake.WriteFile("a.parquet", MakeTestEvents(0, 500)));
    table.chunks = shared->lake.WriteChunks(MakeTestEvents(500, 500));
    shared->lake.Put(table);
  }
  static void TearDownTestSuite() {
    delete shared;
    shared = nullptr;
  }
  static void ExpectAnswers(const char* after) {
    EXPECT_EQ(shared->Run("SELECT count(*), count(DISTINCT id) FROM bronze.events WHERE id > ''").text(), "1000|1000\n") << "after " << after;
  }
  static TestSession* shared;
};
TestSession* HostileTest::shared = nullptr;

TEST_F(HostileTest, ForbiddenStatementsFail) {
  for (auto* sql : kForbidden) {
    auto result = shared->Run(sql, {}, 5'000);
    ASSERT_TRUE(result.error) << sql << " answered " << result.text();
    EXPECT_EQ(result.error->message.find("lakefd://"), std::string::npos) << result.error->message;
    EXPECT_NE(result.error->kind, QueryErrorKind::kTimeout) << sql;
    EXPECT_NE(result.error->kind, QueryErrorKind::kWorkerDied) << sql;
  }
  ExpectAnswers("all forbidden statements");
  for (auto* canary : {"/tmp/sluice_canary.csv", "/tmp/sluice_canary.parquet", "/tmp/sluice_canary.db", "/tmp/sluice_canary"}) EXPECT_FALSE(*io::Exists(shared->env.files, canary)) << canary;
}

TEST_F(HostileTest, HungryStatementsHurtNobodyElse) {
  if (!kMemoryIsLimited) return;  // under a sanitizer nothing would bound their memory
  for (auto* sql : kHungry) {
    auto result = shared->Run(sql, {}, 700);
    EXPECT_FALSE(result.error && result.error->kind == QueryErrorKind::kInternal) << sql << ": " << result.text();
    ExpectAnswers(sql);
  }
}

}  // namespace
}  // namespace sluice::query
