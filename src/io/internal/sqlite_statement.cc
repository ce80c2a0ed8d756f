// SPDX-License-Identifier: Apache-2.0
#include "io/internal/sqlite_statement.h"

#include <sqlite3.h>

#include <cerrno>

#include "io/internal/system_error.h"

namespace sluice::io {
namespace {

ErrorCode SqliteErrorCode(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT: return ErrorCode::kExists;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return ErrorCode::kExhausted;
    case SQLITE_CORRUPT: return ErrorCode::kCorruption;
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
    case SQLITE_ERROR: return ErrorCode::kInvalid;
    default: return ErrorCode::kIo;
  }
}

}  // namespace

Error SqliteError(sqlite3* connection, std::string_view doing) {
  int result = sqlite3_extended_errcode(connection);
  // A file beside the database that cannot grow is an I/O error to SQLite, a full disk to us.
  const bool no_space = (result & 0xff) == SQLITE_FULL || ((result & 0xff) == SQLITE_IOERR && sqlite3_system_errno(connection) == ENOSPC);
  if (no_space) return SystemError(doing, {}, ENOSPC);
  std::string hint = (result & 0xff) == SQLITE_BUSY ? "another program holds the catalog: it is tried again" : "";
  return Error{SqliteErrorCode(result), std::string(doing) + ": " + sqlite3_errmsg(connection), hint};
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<SqliteStatement> SqliteStatement::Prepare(sqlite3* connection, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK)
    return SqliteError(connection, "prepare a catalog statement");
  return SqliteStatement(connection, statement);
}

SqliteStatement& SqliteStatement::Bind(std::string_view text) {
  // The transient copy costs nothing beside the commit; a null pointer would bind NULL.
  const char* data = text.data() != nullptr ? text.data() : "";
  sqlite3_bind_text64(statement_.get(), ++bound_, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Result<bool> SqliteStatement::Step() {
  int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return SqliteError(connection_, "run a catalog statement");
}

std::string SqliteStatement::Text(int column) const {
  auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

void SqliteClose::operator()(sqlite3* connection) const { sqlite3_close(connection); }

Result<SqliteConnection> OpenSqlite(const Path& path, int busy_timeout_ms) {
  sqlite3* raw = nullptr;
  int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteConnection connection(raw);
  CHECK(raw != nullptr, "no memory for a SQLite connection");
  if (opened != SQLITE_OK) return SqliteError(raw, "open \"" + path + "\"");
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  return connection;
}

Result<void> ExecuteSqlite(sqlite3* connection, const char* sql) {
  if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return SqliteError(connection, "run a catalog statement");
  return {};
}

Result<SqliteTransaction> SqliteTransaction::Begin(sqlite3* connection) {
  // IMMEDIATE takes the writer's lock now: a transaction that started as a reader cannot always become a writer later.
  RETURN_IF_ERROR(ExecuteSqlite(connection, "BEGIN IMMEDIATE"));
  return SqliteTransaction(connection);
}

SqliteTransaction::~SqliteTransaction() {
  if (connection_ != nullptr && sqlite3_get_autocommit(connection_) == 0) (void)ExecuteSqlite(connection_, "ROLLBACK").ok();
}

Result<void> SqliteTransaction::Commit() {
  auto committed = ExecuteSqlite(connection_, "COMMIT");
  if (committed.ok() || committed.error().code == ErrorCode::kUnavailable) return committed;
  return Error{ErrorCode::kCommitUnknown, "commit to the catalog: " + committed.error().message, "read the table again before the next commit"};
}

}  // namespace sluice::io
