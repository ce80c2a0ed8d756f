// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Filters by field id, only good for leaving things out: "may match" is never wrong, "cannot match" is certain. Whoever reads the
// rows filters again.

#include <optional>
#include <vector>

#include "iceberg/data_file.h"
#include "iceberg/manifest_format.h"
#include "iceberg/partition_spec.h"
#include "iceberg/value.h"

namespace sluice::iceberg {

enum class FilterOp : uint8_t { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kIsNull, kIsNotNull };
inline constexpr uint8_t kFilterOpCount = 8;

// One comparison of a column with constants. Several are joined by AND.
struct ColumnFilter {
  FieldId field_id = 0;
  FilterOp op = FilterOp::kEqual;
  std::vector<Value> values;  // one; any number for kIn; none for kIsNull and kIsNotNull. Null matches nothing

  bool operator==(const ColumnFilter&) const = default;
};

// What is known of some values: a range and whether there are nulls and NaN. An absent bound: not known.
struct ValueRange {
  std::optional<Value> lower;
  std::optional<Value> upper;
  bool may_be_null = true;
  bool may_be_nan = true;    // NaN counts as greater than every number
  bool may_be_value = true;  // false: all are null
};

bool RangeMayMatch(const ColumnFilter& filter, const ValueRange& range);

// What `filter` demands of a partition field made from its column. Nothing: the field tells nothing about it.
// `source`: the column's type. REQUIRES: the values fit it.
std::optional<ColumnFilter> ProjectFilter(const ColumnFilter& filter, const Transform& transform, const Type& source);

// By the bounds and counts of one column of a file.
bool FileMayMatch(const ColumnFilter& filter, const Type& type, const DataFile& file);

// By the partition of a file, or by the summaries of a manifest. `partition`: PartitionTypeOf(spec); a filter whose column is
// `source` of a field is projected.
bool PartitionMayMatch(const ColumnFilter& filter, const Type& source, const PartitionSpec& spec, const PartitionValue& partition);
bool ManifestMayMatch(const ColumnFilter& filter, const Type& source, const PartitionSpec& spec, const ManifestFile& manifest);

}  // namespace sluice::iceberg
