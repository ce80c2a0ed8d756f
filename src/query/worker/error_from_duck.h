// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "duckdb.hpp"
#include "duckdb/common/error_data.hpp"
#include "query/sql.h"

namespace sluice::query {

// DuckDB's error as ours: kind, message, position, candidates as the hint, no path of ours. REQUIRES: errors_as_json is set.
QueryError ToQueryError(const duckdb::ErrorData& error, const std::string& sql);

// Whether a worker with this error may still be trusted to have its memory and locks in order.
bool MustDiscard(const duckdb::ErrorData& error);

}  // namespace sluice::query
