// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace sluice::query {

// `event_id` is `id`: points every scan of ours at the real columns, before any optimizer runs, so that filters,
// statistics and join filters only ever see those.
//
// References are positions in a scan's column list, and a column must not stand there twice (the Parquet reader would
// then mix rows up, silently): a second position is folded into the first, and the references follow.
void RewriteAliases(duckdb::LogicalOperator& plan);

}  // namespace sluice::query
