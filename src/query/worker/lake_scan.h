// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The scan of a table: DuckDB's Parquet scan with our file list, our schema, and our reader for hot chunks.

#include <memory>
#include <string>

#include "duckdb/function/table_function.hpp"
#include "query/worker/lake_context.h"

namespace sluice::query {

inline constexpr const char* kLakeScanName = "lake_scan";

// Virtual columns (aliases) are numbered from here: above DuckDB's own.
inline constexpr duckdb::column_t kFirstAlias = UINT64_C(9223372036854775808) + 100;
inline bool IsAlias(const BoundTable& table, duckdb::column_t id) { return id >= kFirstAlias && id < kFirstAlias + table.aliases.size(); }

// What DuckDB calls when it plans a scan of `table`, and its bind data. `context` and `entry` must outlive the statement.
duckdb::TableFunction MakeLakeScan(LakeContext& context, duckdb::ClientContext& client, const std::shared_ptr<const BoundTable>& table,
                                   duckdb::TableCatalogEntry& entry, duckdb::unique_ptr<duckdb::FunctionData>& bind_data);

// The table of a scan that MakeLakeScan made.
const BoundTable& TableOfScan(const duckdb::FunctionData& bind_data);

// Aliases, and what count(*) asks for.
duckdb::virtual_column_map_t VirtualColumnsOf(const BoundTable& table);

}  // namespace sluice::query
