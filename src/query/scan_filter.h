// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "iceberg/value.h"

namespace sluice::query {

enum class FilterOp : uint8_t { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kIn, kIsNull, kNotNull };
inline constexpr uint8_t kFilterOpCount = 8;

// A condition on one top-level column that every wanted row fulfils. For pruning only: DuckDB filters again, so leaving
// conditions out is always right. Several are joined by AND.
struct ScanFilter {
  iceberg::FieldId field_id = 0;
  FilterOp op = FilterOp::kEqual;
  // One value for comparisons, any number for kIn, none for kIsNull and kNotNull. Never null; each fits the column's type.
  std::vector<iceberg::Value> values;
};

}  // namespace sluice::query
