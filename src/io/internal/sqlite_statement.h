// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// SQLite behind Result: one connection, prepared statements, transactions. Only the catalog store uses it.

#include <memory>
#include <string>
#include <string_view>

#include "base/path.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::io {

// The error of the connection's last call: busy and locked are kUnavailable, a constraint kExists, a full disk kExhausted,
// a damaged file kCorruption, no database kInvalid, the rest kIo.
Error SqliteError(sqlite3* connection, std::string_view doing);

// One execution of one statement. Values are bound in order, columns read by index. Not thread-safe.
class SqliteStatement {
 public:
  static Result<SqliteStatement> Prepare(sqlite3* connection, std::string_view sql);
  SqliteStatement& Bind(std::string_view text);
  // True: there is a row. False: it is done.
  Result<bool> Step();
  // Empty when the column is NULL. REQUIRES: Step() answered true.
  std::string Text(int column) const;

 private:
  struct Finalize { void operator()(sqlite3_stmt* statement) const; };
  SqliteStatement(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

struct SqliteClose { void operator()(sqlite3* connection) const; };
using SqliteConnection = std::unique_ptr<sqlite3, SqliteClose>;

// Opens or creates the database; waits `busy_timeout_ms` for other writers in every later call.
Result<SqliteConnection> OpenSqlite(const Path& path, int busy_timeout_ms);

// Runs statements that answer no rows.
Result<void> ExecuteSqlite(sqlite3* connection, const char* sql);

// BEGIN IMMEDIATE ... COMMIT; rolls back when destroyed without Commit.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> Begin(sqlite3* connection);
  SqliteTransaction(SqliteTransaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();
  // kUnavailable: nothing was changed. kCommitUnknown: it failed half way, the change may be there or not.
  Result<void> Commit();

 private:
  explicit SqliteTransaction(sqlite3* connection) : connection_(connection) {}
  sqlite3* connection_;
};

}  // namespace sluice::io
