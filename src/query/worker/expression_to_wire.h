// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Conditions that DuckDB keeps as expressions, as far as they say something about one column:
//
//   time::DATE = DATE '2026-01-15'      time >= 2026-01-15 and time < 2026-01-16
//   date_trunc('hour', time) > t        time >= the next hour after t
//   starts_with(type, 'order.')         type >= 'order.' and type < 'order/'
//   subject IS NOT NULL                 itself
//
// Comparisons of bare columns come as table filters (filter_to_wire.h). Times are UTC, as the session's zone is.

#include <vector>

#include "duckdb.hpp"
#include "duckdb/common/multi_file/multi_file_list.hpp"
#include "iceberg/column_filter.h"
#include "query/protocol.h"

namespace sluice::query {

// Appends what `condition`, which every wanted row fulfils, demands of columns of `table`. What is not understood is left out.
// Each filter stands there once, nothing goes beyond kScanFiltersMax.
void AppendExpressionFilters(duckdb::ClientContext& client, const duckdb::Expression& condition, const duckdb::MultiFilePushdownInfo& scan,
                             const BoundTable& table, std::vector<iceberg::ColumnFilter>& to);

}  // namespace sluice::query
