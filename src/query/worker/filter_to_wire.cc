// SPDX-License-Identifier: Apache-2.0
#include "query/worker/filter_to_wire.h"

#include <optional>
#include <utility>

#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "query/protocol.h"
#include "query/worker/duck_types.h"

namespace sluice::query {
namespace {

using duckdb::ExpressionType;
using duckdb::TableFilterType;

std::optional<iceberg::FilterOp> ToOp(ExpressionType comparison) {
  switch (comparison) {
    case ExpressionType::COMPARE_EQUAL: return iceberg::FilterOp::kEqual;
    case ExpressionType::COMPARE_LESSTHAN: return iceberg::FilterOp::kLess;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO: return iceberg::FilterOp::kLessEqual;
    case ExpressionType::COMPARE_GREATERTHAN: return iceberg::FilterOp::kGreater;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO: return iceberg::FilterOp::kGreaterEqual;
    default: return std::nullopt;
  }
}

std::optional<iceberg::ColumnFilter> FromComparison(const duckdb::ConstantFilter& filter, const iceberg::NestedField& column) {
  auto op = ToOp(filter.comparison_type);
  auto value = ToLakeValue(filter.constant, column.type);
  if (!op || !value) return std::nullopt;
  return iceberg::ColumnFilter{column.id, *op, {std::move(*value)}};
}

// a = 1 OR a = 2 is a IN (1, 2).
std::optional<iceberg::ColumnFilter> FromOr(const duckdb::ConjunctionOrFilter& filter, const iceberg::NestedField& column) {
  iceberg::ColumnFilter out{column.id, iceberg::FilterOp::kIn, {}};
  for (auto& child : filter.child_filters) {
    if (child->filter_type != TableFilterType::CONSTANT_COMPARISON) return std::nullopt;
    auto one = FromComparison(child->Cast<duckdb::ConstantFilter>(), column);
    if (!one || one->op != iceberg::FilterOp::kEqual) return std::nullopt;
    out.values.push_back(std::move(one->values[0]));
  }
  return out;
}

std::optional<iceberg::ColumnFilter> FromIn(const duckdb::InFilter& filter, const iceberg::NestedField& column) {
  iceberg::ColumnFilter out{column.id, iceberg::FilterOp::kIn, {}};
  for (auto& value : filter.values) {
    auto one = ToLakeValue(value, column.type);
    if (!one) return std::nullopt;
    out.values.push_back(std::move(*one));
  }
  return out;
}

void Append(std::optional<iceberg::ColumnFilter> filter, std::vector<iceberg::ColumnFilter>& to) {
  if (filter && filter->values.size() <= kFilterValuesMax && to.size() < kScanFiltersMax) to.push_back(std::move(*filter));
}

}  // namespace

void AppendScanFilters(const duckdb::TableFilter& filter, const iceberg::NestedField& column, std::vector<iceberg::ColumnFilter>& to) {
  switch (filter.filter_type) {
    case TableFilterType::CONSTANT_COMPARISON: return Append(FromComparison(filter.Cast<duckdb::ConstantFilter>(), column), to);
    case TableFilterType::CONJUNCTION_OR: return Append(FromOr(filter.Cast<duckdb::ConjunctionOrFilter>(), column), to);
    case TableFilterType::IN_FILTER: return Append(FromIn(filter.Cast<duckdb::InFilter>(), column), to);
    case TableFilterType::IS_NULL: return Append(iceberg::ColumnFilter{column.id, iceberg::FilterOp::kIsNull, {}}, to);
    case TableFilterType::IS_NOT_NULL: return Append(iceberg::ColumnFilter{column.id, iceberg::FilterOp::kIsNotNull, {}}, to);
    case TableFilterType::CONJUNCTION_AND:
      for (auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) AppendScanFilters(*child, column, to);
      return;
    case TableFilterType::OPTIONAL_FILTER:  // IN lists and join filters arrive wrapped in this
      if (auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter) AppendScanFilters(*child, column, to);
      return;
    case TableFilterType::DYNAMIC_FILTER: {  // a top-N limit: has a value only once rows flowed
      auto& data = filter.Cast<duckdb::DynamicFilter>().filter_data;
      if (!data || !data->initialized) return;
      std::lock_guard<duckdb::mutex> lock(data->lock);
      if (data->filter) AppendScanFilters(*data->filter, column, to);
      return;
    }
    default: return;  // of struct members, expressions, Bloom filters
  }
}

}  // namespace sluice::query
