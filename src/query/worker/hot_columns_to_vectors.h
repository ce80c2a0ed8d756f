// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "duckdb.hpp"
#include "query/worker/chunk_mappings.h"
#include "table/event_columns.h"

namespace sluice::query {

// Rows [begin, begin + count) of `column` as a flat vector. With `wanted`, only those rows (positions from `begin`) need to be right.
// Numbers and strings stay in the mapping, which the vector keeps alive. REQUIRES: the chunk has the column, or it is kSpecVersion.
void FillFromChunk(const std::shared_ptr<const MappedChunk>& chunk, const table::EventColumnSpec& column, uint32_t begin, duckdb::idx_t count,
                   const duckdb::SelectionVector* wanted, duckdb::idx_t wanted_count, duckdb::Vector& to);

}  // namespace sluice::query
