// SPDX-License-Identifier: Apache-2.0
//
// Times are in UTC in every statement (worker_main.cc sets it, and locks it), but DuckDB asks ICU's calendar for the time zone of each value:
// 10 to 40 times as dear as the same function of a TIMESTAMP, which is the same number of microseconds. Here these functions and casts
// of TIMESTAMP WITH TIME ZONE become those of TIMESTAMP, between casts that cost nothing.
#pragma once

#include "duckdb.hpp"

namespace sluice::query {

// Once for a database, before its first statement. Throws duckdb::Exception when DuckDB has not the functions that this expects:
// a new version of it needs a look here.
void UseUtcFunctions(duckdb::DatabaseInstance& database);

}  // namespace sluice::query
