// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Rows of hot chunks as Columns, for the tier's Parquet writer. Views and numbers are gathered, 16 bytes a text at most; the
// bytes of long texts stay in their chunks.

#include <cstdint>
#include <memory>
#include <span>

#include "base/columns.h"
#include "table/hot_chunk_reader.h"

namespace sluice::table {

// Some rows of one chunk, in the order they are wanted. `chunk` and `rows` must live during the call.
struct HotRows {
  const HotChunkReader* chunk = nullptr;
  std::span<const uint32_t> rows;
};

// All rows of `parts`, one part after the other: 25 children in table order, each with its Iceberg field id in its metadata
// (iceberg/data_file_columns.h). Strings are utf8_view, data_binary is binary_view, columns without any value have Arrow's
// null type. `keep_alive`, which holds the chunks, is released together with the result.
// REQUIRES: the rows are complete, at least one, fewer than 2^31.
Columns GatherHotColumns(std::span<const HotRows> parts, std::shared_ptr<const void> keep_alive);
// One of these columns alone.
Columns GatherHotColumn(EventColumn column, std::span<const HotRows> parts, std::shared_ptr<const void> keep_alive);

// Bytes of all values of these rows, of all columns.
uint64_t HotValueBytes(std::span<const HotRows> parts);

}  // namespace sluice::table
