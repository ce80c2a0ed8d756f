// SPDX-License-Identifier: Apache-2.0
#include "iceberg/column_filter.h"

#include <algorithm>
#include <cmath>

namespace sluice::iceberg {
namespace {

bool IsFloat(const Value& value) { return std::holds_alternative<float>(value) || std::holds_alternative<double>(value); }
double AsDouble(const Value& value) {
  auto* f = std::get_if<float>(&value);
  return f != nullptr ? static_cast<double>(*f) : std::get<double>(value);
}
bool IsNan(const Value& value) { return IsFloat(value) && std::isnan(AsDouble(value)); }

// As filters compare: -0.0 equals 0.0, which the order of bounds tells apart. Not for NaN.
std::weak_ordering Order(const Value& a, const Value& b) {
  if (!IsFloat(a) || !IsFloat(b)) return Compare(a, b);
  double x = AsDouble(a), y = AsDouble(b);
  return x < y ? std::weak_ordering::less : x > y ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

// The same form in memory: an int column's bound against an int64 value always is; anything else is not compared.
bool Comparable(const Value& a, const Value& b) { return a.index() == b.index() || (IsFloat(a) && IsFloat(b)); }

bool MayEqual(const Value& value, const ValueRange& range) {
  if (IsNull(value)) return false;
  if (IsNan(value)) return range.may_be_nan;
  if (range.lower && Comparable(*range.lower, value) && Order(value, *range.lower) < 0) return false;
  return !range.upper || !Comparable(*range.upper, value) || Order(value, *range.upper) <= 0;
}

bool MayBeBelow(const Value& value, bool or_equal, const ValueRange& range) {
  if (IsNull(value)) return false;
  if (IsNan(value) || !range.lower || !Comparable(*range.lower, value)) return true;
  auto order = Order(*range.lower, value);
  return or_equal ? order <= 0 : order < 0;
}

bool MayBeAbove(const Value& value, bool or_equal, const ValueRange& range) {
  if (IsNull(value)) return false;
  if (IsNan(value) || (IsFloat(value) && range.may_be_nan)) return true;
  if (!range.upper || !Comparable(*range.upper, value)) return true;
  auto order = Order(*range.upper, value);
  return or_equal ? order >= 0 : order > 0;
}

std::optional<Value> Bound(const std::map<FieldId, std::string>& bounds, FieldId id, const Type& type) {
  auto it = bounds.find(id);
  if (it == bounds.end()) return std::nullopt;
  auto value = ValueFromBytes(it->second, type);
  // A bound that cannot be read, or NaN that some writer put there, is no bound.
  if (!value.ok() || IsNan(*value)) return std::nullopt;
  return std::move(*value);
}

std::optional<int64_t> Count(const std::map<FieldId, int64_t>& counts, FieldId id) {
  auto it = counts.find(id);
  return it == counts.end() ? std::nullopt : std::optional<int64_t>(it->second);
}

ValueRange RangeOf(const Value& value) {
  ValueRange range;
  range.may_be_null = IsNull(value);
  range.may_be_nan = IsNan(value);
  range.may_be_value = !IsNull(value);
  if (IsNull(value) || IsNan(value)) return range;
  range.lower = value;
  range.upper = value;
  return range;
}

ValueRange RangeOf(const FieldSummary& summary, const Type& type) {
  ValueRange range;
  range.may_be_null = summary.contains_null;
  range.may_be_nan = summary.contains_nan.value_or(true);
  auto read = [&](const std::optional<std::string>& bytes) -> std::optional<Value> {
    if (!bytes) return std::nullopt;
    return Bound({{0, *bytes}}, 0, type);
  };
  range.lower = read(summary.lower_bound);
  range.upper = read(summary.upper_bound);
  return range;
}

}  // namespace

bool RangeMayMatch(const ColumnFilter& filter, const ValueRange& range) {
  if (filter.op == FilterOp::kIsNull) return range.may_be_null;
  if (!range.may_be_value) return false;
  if (filter.op == FilterOp::kIsNotNull) return true;
  if (filter.op == FilterOp::kIn) return std::any_of(filter.values.begin(), filter.values.end(), [&](const Value& v) { return MayEqual(v, range); });
  CHECK(filter.values.size() == 1, "a comparison takes one value");
  const Value& value = filter.values[0];
  switch (filter.op) {
    case FilterOp::kEqual: return MayEqual(value, range);
    case FilterOp::kLess: return MayBeBelow(value, false, range);
    case FilterOp::kLessEqual: return MayBeBelow(value, true, range);
    case FilterOp::kGreater: return MayBeAbove(value, false, range);
    default: return MayBeAbove(value, true, range);
  }
}

std::optional<ColumnFilter> ProjectFilter(const ColumnFilter& filter, const Transform& transform, const Type& source) {
  if (transform.kind == TransformKind::kVoid || !CheckTransform(transform, source).ok()) return std::nullopt;
  ColumnFilter projected = filter;
  if (filter.op == FilterOp::kIsNull || filter.op == FilterOp::kIsNotNull) return projected;
  bool is_equality = filter.op == FilterOp::kEqual || filter.op == FilterOp::kIn;
  if (!is_equality && !KeepsOrder(transform)) return std::nullopt;
  for (Value& value : projected.values) {
    if (!IsNull(value) && !Fits(value, source)) return std::nullopt;
    value = ApplyTransform(transform, value, source);
  }
  // Values on both sides of the constant can share its partition.
  if (transform.kind == TransformKind::kIdentity) return projected;
  if (projected.op == FilterOp::kLess) projected.op = FilterOp::kLessEqual;
  if (projected.op == FilterOp::kGreater) projected.op = FilterOp::kGreaterEqual;
  return projected;
}

bool FileMayMatch(const ColumnFilter& filter, const Type& type, const DataFile& file) {
  const ColumnMetrics& metrics = file.metrics;
  ValueRange range;
  range.lower = Bound(metrics.lower_bounds, filter.field_id, type);
  range.upper = Bound(metrics.upper_bounds, filter.field_id, type);
  auto values = Count(metrics.value_counts, filter.field_id);
  auto nulls = Count(metrics.null_value_counts, filter.field_id);
  range.may_be_null = nulls != 0;
  range.may_be_nan = Count(metrics.nan_value_counts, filter.field_id) != 0;
  range.may_be_value = !values || !nulls || *values != *nulls;
  return RangeMayMatch(filter, range);
}

bool PartitionMayMatch(const ColumnFilter& filter, const Type& source, const PartitionSpec& spec, const PartitionValue& partition) {
  for (size_t i = 0; i < spec.fields.size() && i < partition.size(); i++) {
    if (spec.fields[i].source_id != filter.field_id) continue;
    auto projected = ProjectFilter(filter, spec.fields[i].transform, source);
    if (projected && !RangeMayMatch(*projected, RangeOf(partition[i]))) return false;
  }
  return true;
}

bool ManifestMayMatch(const ColumnFilter& filter, const Type& source, const PartitionSpec& spec, const ManifestFile& manifest) {
  for (size_t i = 0; i < spec.fields.size() && i < manifest.partitions.size(); i++) {
    if (spec.fields[i].source_id != filter.field_id) continue;
    auto projected = ProjectFilter(filter, spec.fields[i].transform, source);
    if (projected && !RangeMayMatch(*projected, RangeOf(manifest.partitions[i], TransformResult(spec.fields[i].transform, source)))) return false;
  }
  return true;
}

}  // namespace sluice::iceberg
