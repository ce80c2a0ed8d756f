// SPDX-License-Identifier: Apache-2.0
//
// Which statements a worker runs. What passes the check is bound by DuckDB, in a database without our tables, and has to be a plan that
// only reads. DuckDB is not instrumented.

#include "base/check.h"
#include "base/fuzz_target.h"
#include "duckdb.hpp"
#include "query/worker/function_policy.h"

namespace sluice::query {
namespace {

constexpr size_t kBoundBytesMax = 300;  // DuckDB folds constants while it binds: short texts, small memory

struct Database {
  duckdb::DuckDB database{nullptr};
  duckdb::Connection connection{database};
  Database() {
    for (const char* setting : {"SET threads=1", "SET memory_limit='128MB'", "SET max_temp_directory_size='0KB'", "SET autoinstall_known_extensions=false",
                                "SET autoload_known_extensions=false", "CREATE TABLE t(a INTEGER, b VARCHAR)", "SET enable_external_access=false", "SET lock_configuration=true"}) {
      CHECK(!connection.Query(setting)->HasError(), "a setting");
    }
    DropForbiddenFunctions(connection);
  }
};

void Run(std::string_view input) {
  static Database& d = *new Database;
  try {
    auto statements = d.connection.ExtractStatements(std::string(input));
    if (statements.size() != 1) return;
    CheckStatement(*statements[0]);
    if (input.size() > kBoundBytesMax) return;
    auto prepared = d.connection.Prepare(std::move(statements[0]));
    if (prepared->HasError()) return;
    CHECK(prepared->GetStatementProperties().IsReadOnly(), "what passes only reads");
    CHECK(prepared->GetStatementProperties().return_type == duckdb::StatementReturnType::QUERY_RESULT, "what passes has rows");
  } catch (const std::exception&) {
  }
}

std::vector<std::string> Seeds() {
  return {"SELECT * FROM t WHERE a > $1 ORDER BY b LIMIT 3", "WITH x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x) SELECT * FROM x", "EXPLAIN ANALYZE SELECT 1", "SHOW TABLES",
          "DESCRIBE t", "SUMMARIZE t", "VALUES (1, 'a')", "FROM t", "PIVOT t ON a USING count(*)", "INSERT INTO t VALUES (1, 'x') RETURNING a", "EXPLAIN DELETE FROM t", "SET threads=9",
          "COPY t TO 'x'", "ATTACH 'x'", "PRAGMA version", "CALL pragma_version()", "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "SELECT 1; DROP TABLE t", "EXECUTE p", "BEGIN"};
}

const base::FuzzRegistration kRegistration({"sql_statement", Run, Seeds});

}  // namespace
}  // namespace sluice::query
