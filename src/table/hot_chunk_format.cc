// SPDX-License-Identifier: Apache-2.0
#include "table/hot_chunk_format.h"

namespace sluice::table {
namespace {

constexpr size_t Align64(size_t n) { return (n + 63) & ~size_t{63}; }

size_t ValueBytes(ColumnType type) {
  switch (type) {
    case ColumnType::kTimestamp:
    case ColumnType::kLong: return 8;
    case ColumnType::kInt: return 4;
    case ColumnType::kBoolean: return 1;
    default: return sizeof(StringView);
  }
}

}  // namespace

HotRegionLayout LayoutOf(const EventColumnSpec& column, uint32_t rows_max, uint32_t map_entries_max) {
  HotRegionLayout out;
  size_t at = column.required ? 0 : Align64(rows_max / 8 + 1);
  if (column.type == ColumnType::kStringMap) {
    out.offsets = at;
    at += Align64((size_t{rows_max} + 1) * sizeof(int32_t));
    out.values = at;
    at += Align64(size_t{map_entries_max} * sizeof(StringView));
    out.map_values = at;
    at += Align64(size_t{map_entries_max} * sizeof(StringView));
  } else {
    out.values = at;
    at += Align64(rows_max * ValueBytes(column.type));
  }
  out.bytes = at;
  return out;
}

}  // namespace sluice::table
