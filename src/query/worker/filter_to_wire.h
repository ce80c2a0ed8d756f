// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "duckdb.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "iceberg/column_filter.h"
#include "iceberg/schema.h"

namespace sluice::query {

// Appends what `filter` demands of `column`. What is not understood is left out: fewer filters prune less, never wrongly.
// Nothing beyond kScanFiltersMax filters or kFilterValuesMax values of one filter is sent.
void AppendScanFilters(const duckdb::TableFilter& filter, const iceberg::NestedField& column, std::vector<iceberg::ColumnFilter>& to);

}  // namespace sluice::query
