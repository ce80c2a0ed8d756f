// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A hot chunk's rows as Columns, for the tier's Parquet writer: the arrays point into the chunk, nothing is copied but the
// verdict bits.

#include <cstdint>
#include <memory>

#include "base/columns.h"
#include "table/hot_chunk_reader.h"

namespace sluice::table {

// Rows [0, rows) of `chunk`: 25 children in table order, each with its Iceberg field id in the metadata key
// "PARQUET:field_id". Strings are utf8_view, data_binary is binary_view, columns without any value have Arrow's null type.
// `keep_alive` is released together with the result. REQUIRES: the rows are complete and 0 < rows.
Columns MakeHotColumns(const HotChunkReader& chunk, uint32_t rows, std::shared_ptr<const void> keep_alive);

}  // namespace sluice::table
