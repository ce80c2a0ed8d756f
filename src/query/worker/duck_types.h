// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Iceberg's types and values in DuckDB's words.

#include <optional>

#include "duckdb.hpp"
#include "duckdb/common/multi_file/multi_file_data.hpp"
#include "iceberg/schema.h"
#include "iceberg/value.h"

namespace sluice::query {

duckdb::LogicalType ToDuckType(const iceberg::Type& type);

// A column as the Parquet scan looks for it: by field id, with the value that rows of older files have.
duckdb::MultiFileColumnDefinition ToDuckColumn(const iceberg::NestedField& field);

// A constant of DuckDB's type for a column of type `type` as an operand of a filter; nothing: no such operand (null, or a type that is not compared).
std::optional<iceberg::Value> ToLakeValue(const duckdb::Value& value, const iceberg::Type& type);

}  // namespace sluice::query
