// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include <mutex>
#include <set>

#include "io/env.h"
#include "io/internal/sqlite_catalog_format.h"
#include "io/internal/sqlite_statement.h"

namespace sluice::io {
namespace {

constexpr int kBusyTimeoutMs = 5'000;
// WAL: readers and a writer do not wait for each other. FULL: a commit is durable when it returns.
constexpr char kPragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

Error Missing(const std::string& table_namespace, const std::string& table) {
  return Error{ErrorCode::kNotFound, "table \"" + table_namespace + "." + table + "\" is not in the catalog", {}};
}

Result<std::set<std::string>> ColumnsOf(sqlite3* connection, const std::string& table) {
  ASSIGN_OR_RETURN(auto statement, SqliteStatement::Prepare(connection, "SELECT name FROM pragma_table_info(?)"));
  statement.Bind(table);
  std::set<std::string> columns;
  for (;;) {
    ASSIGN_OR_RETURN(bool row, statement.Step());
    if (!row) return columns;
    columns.insert(statement.Text(0));
  }
}

// kInvalid when `table` lacks one of `wanted`: a table of that name but of somebody else's.
Result<void> CheckColumns(sqlite3* connection, const std::string& table, const std::set<std::string>& wanted) {
  ASSIGN_OR_RETURN(auto columns, ColumnsOf(connection, table));
  for (auto& column : wanted)
    if (!columns.contains(column))
      return Error{ErrorCode::kInvalid, "the catalog's table \"" + table + "\" has no column \"" + column + "\"", "use a file that an Iceberg SQL catalog made"};
  return {};
}

// SQLite reads pages as they are. Without this an index that lost an entry would make a table look dropped.
Result<void> CheckIntegrity(sqlite3* connection) {
  ASSIGN_OR_RETURN(auto statement, SqliteStatement::Prepare(connection, "PRAGMA integrity_check(1)"));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  const std::string verdict = row ? statement.Text(0) : "nothing";
  if (verdict != "ok") return Error{ErrorCode::kCorruption, "it is damaged, SQLite says: " + verdict, "restore it from a backup"};
  return {};
}

Result<void> PrepareTables(sqlite3* connection) {
  RETURN_IF_ERROR(ExecuteSqlite(connection, kPragmas));
  RETURN_IF_ERROR(CheckIntegrity(connection));
  ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(connection));
  RETURN_IF_ERROR(ExecuteSqlite(connection, kCreateTablesTable));
  RETURN_IF_ERROR(ExecuteSqlite(connection, kCreateNamespaceTable));
  RETURN_IF_ERROR(CheckColumns(connection, "iceberg_tables", {"catalog_name", "table_namespace", "table_name", "metadata_location", "previous_metadata_location"}));
  RETURN_IF_ERROR(CheckColumns(connection, "iceberg_namespace_properties", {"catalog_name", "namespace", "property_key", "property_value"}));
  ASSIGN_OR_RETURN(auto columns, ColumnsOf(connection, "iceberg_tables"));
  if (!columns.contains("iceberg_type")) RETURN_IF_ERROR(ExecuteSqlite(connection, kAddTypeColumn));
  return ExecuteSqlite(connection, "COMMIT");  // whether it was done matters to nobody: the next opening makes what is missing
}

class SqliteCatalogStore final : public CatalogStore {
 public:
  SqliteCatalogStore(SqliteConnection connection, std::string catalog_name) : connection_(std::move(connection)), catalog_name_(std::move(catalog_name)) {}

  Result<std::vector<std::string>> ListNamespaces() override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto statement, Prepare(kListNamespaces));
    return FirstColumn(statement);
  }

  Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>& properties) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(connection_.get()));
    ASSIGN_OR_RETURN(auto find, Prepare(kFindNamespace));
    ASSIGN_OR_RETURN(bool exists, find.Bind(name).Step());
    if (exists) return {};
    auto rows = properties;
    rows[kNamespaceExistsKey] = kNamespaceExistsValue;
    for (auto& [key, value] : rows) {
      ASSIGN_OR_RETURN(auto insert, Prepare(kInsertProperty));
      RETURN_IF_ERROR(insert.Bind(name).Bind(key).Bind(value).Step());
    }
    return transaction.Commit();
  }

  Result<std::vector<std::string>> ListTables(const std::string& table_namespace) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto statement, Prepare(kListTables));
    return FirstColumn(statement.Bind(table_namespace));
  }

  Result<std::optional<CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto statement, Prepare(kLoadTable));
    ASSIGN_OR_RETURN(bool found, statement.Bind(table_namespace).Bind(table).Step());
    if (!found) return std::optional<CatalogRow>();
    return std::optional<CatalogRow>(CatalogRow{statement.Text(0), statement.Text(1)});
  }

  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& metadata_location) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(connection_.get()));
    ASSIGN_OR_RETURN(auto insert, Prepare(kInsertTable));
    auto inserted = insert.Bind(table_namespace).Bind(table).Bind(metadata_location).Step();
    if (!inserted.ok() && inserted.error().code == ErrorCode::kExists)
      return Error{ErrorCode::kExists, "\"" + table_namespace + "." + table + "\" is in the catalog already", {}};
    RETURN_IF_ERROR(inserted);
    return transaction.Commit();
  }

  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected, const std::string& next) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(connection_.get()));
    ASSIGN_OR_RETURN(auto update, Prepare(kSwapTable));
    RETURN_IF_ERROR(update.Bind(table_namespace).Bind(table).Bind(next).Bind(expected).Step());
    if (sqlite3_changes(connection_.get()) == 0)
      return Error{ErrorCode::kConflict, "\"" + table_namespace + "." + table + "\" is no longer at \"" + expected + "\"", "load the table again and repeat the commit"};
    return transaction.Commit();
  }

  Result<void> DropTable(const std::string& table_namespace, const std::string& table) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(connection_.get()));
    ASSIGN_OR_RETURN(auto remove, Prepare(kDropTable));
    RETURN_IF_ERROR(remove.Bind(table_namespace).Bind(table).Step());
    if (sqlite3_changes(connection_.get()) == 0) return Missing(table_namespace, table);
    return transaction.Commit();
  }

 private:
  // Every statement's first parameter is the catalog's name.
  Result<SqliteStatement> Prepare(const char* sql) {
    ASSIGN_OR_RETURN(auto statement, SqliteStatement::Prepare(connection_.get(), sql));
    statement.Bind(catalog_name_);
    return statement;
  }

  static Result<std::vector<std::string>> FirstColumn(SqliteStatement& statement) {
    std::vector<std::string> values;
    for (;;) {
      ASSIGN_OR_RETURN(bool row, statement.Step());
      if (!row) return values;
      values.push_back(statement.Text(0));
    }
  }

  std::mutex mutex_;  // one connection, one call at a time
  const SqliteConnection connection_;
  const std::string catalog_name_;
};

}  // namespace

Result<std::unique_ptr<CatalogStore>> OpenSqliteCatalogStore(const Path& path, const std::string& catalog_name) {
  ASSIGN_OR_RETURN(auto connection, OpenSqlite(path, kBusyTimeoutMs));
  if (auto prepared = PrepareTables(connection.get()); !prepared.ok()) return prepared.error().While("opening the catalog \"" + path + "\"");
  return std::unique_ptr<CatalogStore>(std::make_unique<SqliteCatalogStore>(std::move(connection), catalog_name));
}

}  // namespace sluice::io
