// SPDX-License-Identifier: Apache-2.0
//
// Times are in UTC in every statement (worker_main.cc sets it, and locks it), but DuckDB asks ICU's calendar for the time zone of each value:
// 10 to 40 times as dear as the same function of a TIMESTAMP, which is the same number of microseconds. Here these functions and casts
// of TIMESTAMP WITH TIME ZONE become those of TIMESTAMP, between casts that cost nothing.
#pragma once

#include <memory>

#include "duckdb.hpp"

namespace sluice::query {

// A database in memory with these functions and casts. Throws duckdb::Exception when DuckDB has not those that this expects: a new
// version of it needs a look here.
std::unique_ptr<duckdb::DuckDB> OpenInUtc(duckdb::DBConfig& config);

}  // namespace sluice::query
