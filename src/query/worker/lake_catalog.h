// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The attached database "lake": schemas and tables as the server's read view has them. Everything that writes is refused.

#include "duckdb.hpp"
#include "query/worker/lake_context.h"

namespace sluice::query {

inline constexpr const char* kDefaultSchema = "bronze";

// Before the database opens: the storage type "lake", the rewrite of aliases. `context` must outlive the database.
void RegisterLake(duckdb::DBConfig& config, LakeContext& context);

// After it is open: keeps the scan functions that the worker later drops, attaches the lake and makes it the default.
// Throws duckdb exceptions.
void AttachLake(duckdb::Connection& connection, LakeContext& context);

}  // namespace sluice::query
