// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The Parquet schema of a table schema: one node per field, each with its field id, lists and maps in three levels.
//
//   int, date -> INT32     long, time, timestamp -> INT64     string, binary -> BYTE_ARRAY     uuid, fixed -> FIXED_LEN_BYTE_ARRAY
//   decimal: INT32 up to 9 digits, INT64 up to 18, else the fewest bytes that hold the precision
//
// Source: Iceberg table spec, appendix A, "Parquet"; Parquet format, LogicalTypes.md (list and map).

#include <parquet/schema.h>

#include <memory>

#include "iceberg/schema.h"

namespace sluice::iceberg::internal {

inline constexpr int32_t kDecimalInt32DigitsMax = 9;
inline constexpr int32_t kDecimalInt64DigitsMax = 18;
inline constexpr int32_t kUuidBytes = 16;

// The fewest bytes of a two's complement number that hold any decimal of this precision (1..38).
int32_t DecimalBytes(int32_t precision);

// Throws parquet::ParquetException for what Parquet cannot say (a decimal of precision 0).
std::shared_ptr<parquet::schema::GroupNode> MakeParquetSchema(const TableSchema& schema);

}  // namespace sluice::iceberg::internal
