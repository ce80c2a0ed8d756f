// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What of DuckDB's types goes into a result as it is. Arrow has no place for the others (or DuckDB writes them there as bytes
// that nobody can read): they go as text, alone or inside lists, maps and structs.
//
//   UHUGEINT, BIGNUM, BIT, TIME WITH TIME ZONE, UNION, a struct without names, ...      VARCHAR

#include "duckdb.hpp"

namespace sluice::query {

// The type that values of `type` have in a result; `type` itself when nothing has to change.
duckdb::LogicalType ToResultType(const duckdb::LogicalType& type);

// `chunk` with its columns cast to `types`; `chunk` itself when they are its types. `space` holds what was cast.
duckdb::DataChunk& CastChunk(duckdb::ClientContext& client, duckdb::DataChunk& chunk, const duckdb::vector<duckdb::LogicalType>& types,
                             duckdb::DataChunk& space);

}  // namespace sluice::query
