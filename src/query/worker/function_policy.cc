// SPDX-License-Identifier: Apache-2.0
#include "query/worker/function_policy.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/parser/parsed_data/drop_info.hpp"
#include "duckdb/parser/statement/explain_statement.hpp"

namespace sluice::query {
namespace {

using duckdb::CatalogType;

constexpr std::array<std::string_view, 15> kTableFunctions = {
    "range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree",
    // What SHOW TABLES, information_schema and pg_catalog, views of DuckDB, are made of: they show names only.
    "duckdb_tables", "duckdb_columns", "duckdb_schemas", "duckdb_views", "duckdb_databases", "duckdb_types", "duckdb_constraints", "duckdb_functions"};

constexpr std::array<std::string_view, 16> kForbiddenScalars = {
    "current_setting", "getvariable", "getenv", "write_log", "sleep_ms", "nextval", "currval", "read_text", "read_blob", "parse_duckdb_log_message",
    "json_execute_serialized_sql", "json_serialize_plan", "txid_current", "finalize", "duckdb_encode", "parquet_file_metadata"};

template <size_t n>
bool Contains(const std::array<std::string_view, n>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool IsForbidden(const duckdb::CatalogEntry& entry) {
  switch (entry.type) {
    case CatalogType::TABLE_FUNCTION_ENTRY: return !Contains(kTableFunctions, entry.name);
    case CatalogType::SCALAR_FUNCTION_ENTRY: return Contains(kForbiddenScalars, entry.name);
    default: return true;
  }
}

}  // namespace

void DropForbiddenFunctions(duckdb::Connection& connection) {
  auto& client = *connection.context;
  client.RunFunctionInTransaction([&] {
    auto& system = duckdb::Catalog::GetSystemCatalog(client);
    for (auto type : {CatalogType::TABLE_FUNCTION_ENTRY, CatalogType::SCALAR_FUNCTION_ENTRY, CatalogType::COPY_FUNCTION_ENTRY, CatalogType::PRAGMA_FUNCTION_ENTRY}) {
      std::vector<std::pair<std::string, std::string>> names;
      for (auto& schema : system.GetSchemas(client))
        schema.get().Scan(client, type, [&](duckdb::CatalogEntry& entry) {
          // Macros share a set with functions: the entry's own type counts.
          if (entry.type == type && IsForbidden(entry)) names.emplace_back(schema.get().name, entry.name);
        });
      for (auto& [schema, name] : names) {
        duckdb::DropInfo info;
        info.type = type;
        info.schema = schema;
        info.name = name;
        info.allow_drop_internal = true;
        info.if_not_found = duckdb::OnEntryNotFound::RETURN_NULL;
        system.DropEntry(client, info);
      }
    }
  });
}

void CheckStatement(const duckdb::SQLStatement& statement) {
  using duckdb::StatementType;
  auto refuse = [](const std::string& what) { throw duckdb::PermissionException("%s is not allowed: only SELECT, WITH, VALUES, SHOW, DESCRIBE, SUMMARIZE and EXPLAIN are", what); };
  if (statement.type == StatementType::EXPLAIN_STATEMENT) {  // EXPLAIN ANALYZE runs what it explains
    auto inner = statement.Cast<duckdb::ExplainStatement>().stmt->type;
    if (inner != StatementType::SELECT_STATEMENT) refuse("EXPLAIN " + duckdb::StatementTypeToString(inner));
    return;
  }
  if (statement.type != StatementType::SELECT_STATEMENT) refuse(duckdb::StatementTypeToString(statement.type));
}

}  // namespace sluice::query
