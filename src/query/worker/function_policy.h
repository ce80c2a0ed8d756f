// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "duckdb.hpp"

namespace sluice::query {

// Removes from DuckDB's own catalog what reaches outside of a statement: files, settings, other databases, logs, sleep. A
// check of parse trees can be fooled; a function that does not exist cannot be called, whatever view, macro or generated SQL
// names it. Table functions are kept by list; scalar functions are dropped by list; COPY and PRAGMA functions all go.
// Throws duckdb exceptions.
void DropForbiddenFunctions(duckdb::Connection& connection);

// Refuses what is not one reading statement. SHOW, DESCRIBE, SUMMARIZE, VALUES and FROM are SELECT to the parser.
// Throws duckdb::PermissionException.
void CheckStatement(const duckdb::SQLStatement& statement);

}  // namespace sluice::query
