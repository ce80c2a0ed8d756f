// SPDX-License-Identifier: Apache-2.0
#include "query/worker/expression_to_wire.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "duckdb/common/types/date.hpp"
#include "duckdb/common/types/interval.hpp"
#include "duckdb/common/types/timestamp.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/expression/bound_between_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"

namespace sluice::query {
namespace {

using duckdb::ExpressionType;
using duckdb::LogicalTypeId;
using iceberg::ColumnFilter;
using iceberg::FilterOp;

constexpr int64_t kDayUs = duckdb::Interval::MICROS_PER_DAY;
// Dates and times beyond these are left alone, so that nothing here can overflow.
constexpr int64_t kTimeUsMax = int64_t{1} << 60;
constexpr int64_t kDaysMax = kTimeUsMax / kDayUs;

// Of days or microseconds, half-open; an absent end is open.
struct Range {
  std::optional<int64_t> from;
  std::optional<int64_t> to;
};

bool IsTime(const duckdb::LogicalType& type) { return type.id() == LogicalTypeId::TIMESTAMP || type.id() == LogicalTypeId::TIMESTAMP_TZ; }
bool IsDate(const duckdb::LogicalType& type) { return type.id() == LogicalTypeId::DATE; }

int64_t FloorDiv(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }
int64_t CeilDiv(int64_t value, int64_t by) { return -FloorDiv(-value, by); }

// The number that is compared: days of a DATE, microseconds of a time.
std::optional<int64_t> NumberOf(const duckdb::Value& value) {
  if (value.IsNull()) return std::nullopt;
  if (IsDate(value.type())) {
    const int64_t days = value.GetValueUnsafe<int32_t>();
    return days > -kDaysMax && days < kDaysMax ? std::optional(days) : std::nullopt;
  }
  if (!IsTime(value.type())) return std::nullopt;
  const auto us = value.GetValueUnsafe<int64_t>();
  return us > -kTimeUsMax && us < kTimeUsMax ? std::optional(us) : std::nullopt;
}

std::optional<Range> RangeOf(ExpressionType comparison, int64_t number) {
  switch (comparison) {
    case ExpressionType::COMPARE_EQUAL: return Range{number, number + 1};
    case ExpressionType::COMPARE_LESSTHAN: return Range{std::nullopt, number};
    case ExpressionType::COMPARE_LESSTHANOREQUALTO: return Range{std::nullopt, number + 1};
    case ExpressionType::COMPARE_GREATERTHAN: return Range{number + 1, std::nullopt};
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO: return Range{number, std::nullopt};
    default: return std::nullopt;
  }
}

ExpressionType Flip(ExpressionType comparison) {
  switch (comparison) {
    case ExpressionType::COMPARE_LESSTHAN: return ExpressionType::COMPARE_GREATERTHAN;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO: return ExpressionType::COMPARE_GREATERTHANOREQUALTO;
    case ExpressionType::COMPARE_GREATERTHAN: return ExpressionType::COMPARE_LESSTHAN;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO: return ExpressionType::COMPARE_LESSTHANOREQUALTO;
    default: return comparison;
  }
}

// The beginning of the day, month, ... that `us` is in (or is the beginning of), or of the next one if `us` is behind it.
std::optional<int64_t> RoundUp(const std::string& unit, int64_t us) {
  static const std::pair<const char*, int64_t> kFixed[] = {{"second", duckdb::Interval::MICROS_PER_SEC},
                                                           {"minute", duckdb::Interval::MICROS_PER_MINUTE},
                                                           {"hour", duckdb::Interval::MICROS_PER_HOUR},
                                                           {"day", kDayUs}};
  for (auto& [name, length] : kFixed)
    if (unit == name) return CeilDiv(us, length) * length;
  static const std::pair<const char*, int32_t> kMonths[] = {{"month", 1}, {"quarter", 3}, {"year", 12}};
  for (auto& [name, months] : kMonths) {
    if (unit != name) continue;
    int32_t year = 0, month = 0, day = 0;
    duckdb::Date::Convert(duckdb::date_t(static_cast<int32_t>(FloorDiv(us - 1, kDayUs))), year, month,
                          day);  // of the moment before: its unit ends at or behind `us`
    const int32_t next = year * 12 + (month - 1) / months * months + months;
    return static_cast<int64_t>(
               duckdb::Date::FromDate(static_cast<int32_t>(FloorDiv(next, 12)), next - static_cast<int32_t>(FloorDiv(next, 12)) * 12 + 1, 1)
                   .days) *
           kDayUs;
  }
  if (unit == "week") {  // 1970-01-01 was a Thursday, weeks begin on Mondays
    constexpr int64_t kFirstMonday = 4 * kDayUs, kWeekUs = 7 * kDayUs;
    return CeilDiv(us - kFirstMonday, kWeekUs) * kWeekUs + kFirstMonday;
  }
  return std::nullopt;
}

std::optional<int64_t> ThroughEnds(const std::optional<int64_t>& end, auto&& change) { return end ? change(*end) : std::nullopt; }

class Reader {
 public:
  Reader(duckdb::ClientContext& client, const duckdb::MultiFilePushdownInfo& scan, const BoundTable& table, std::vector<ColumnFilter>& to)
      : client_(client), scan_(scan), table_(table), to_(to) {}

  void Read(const duckdb::Expression& condition) {
    switch (condition.GetExpressionClass()) {
      case duckdb::ExpressionClass::BOUND_CONJUNCTION:
        if (condition.GetExpressionType() != ExpressionType::CONJUNCTION_AND) return;
        for (auto& child : condition.Cast<duckdb::BoundConjunctionExpression>().children) Read(*child);
        return;
      case duckdb::ExpressionClass::BOUND_COMPARISON: {
        auto& comparison = condition.Cast<duckdb::BoundComparisonExpression>();
        Compare(*comparison.left, comparison.GetExpressionType(), *comparison.right);
        Compare(*comparison.right, Flip(comparison.GetExpressionType()), *comparison.left);
        return;
      }
      case duckdb::ExpressionClass::BOUND_BETWEEN: {
        auto& between = condition.Cast<duckdb::BoundBetweenExpression>();
        Compare(*between.input, between.LowerComparisonType(), *between.lower);
        Compare(*between.input, between.UpperComparisonType(), *between.upper);
        return;
      }
      case duckdb::ExpressionClass::BOUND_OPERATOR: return ReadOperator(condition.Cast<duckdb::BoundOperatorExpression>());
      case duckdb::ExpressionClass::BOUND_FUNCTION: return ReadFunction(condition.Cast<duckdb::BoundFunctionExpression>());
      default: return;
    }
  }

 private:
  std::optional<duckdb::Value> Constant(const duckdb::Expression& expression) {
    duckdb::Value value;
    if (!expression.IsFoldable() || !duckdb::ExpressionExecutor::TryEvaluateScalar(client_, expression, value) || value.IsNull())
      return std::nullopt;
    return value;
  }

  const iceberg::NestedField* Column(const duckdb::Expression& expression) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return nullptr;
    auto& reference = expression.Cast<duckdb::BoundColumnRefExpression>();
    if (reference.depth != 0 || reference.binding.table_index != scan_.table_index ||
        reference.binding.column_index >= scan_.column_ids.size())
      return nullptr;
    const auto column = scan_.column_ids[reference.binding.column_index];
    return column < table_.columns.size() ? &table_.columns[column] : nullptr;
  }

  void Compare(const duckdb::Expression& side, ExpressionType comparison, const duckdb::Expression& other) {
    if (side.GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) return;  // comes as a table filter
    auto constant = Constant(other);
    if (!constant || constant->type() != side.return_type) return;
    auto number = NumberOf(*constant);
    auto range = number ? RangeOf(comparison, *number) : std::nullopt;
    if (range) Narrow(side, *range);
  }

  // `expression`, a date or a time made of one column without changing the order, is in `range`: so the column is in a range.
  void Narrow(const duckdb::Expression& expression, Range range) {
    if (auto* column = Column(expression)) {
      if (!IsTime(expression.return_type)) return;
      if (range.from) Add({column->id, FilterOp::kGreaterEqual, {*range.from}});
      if (range.to) Add({column->id, FilterOp::kLess, {*range.to}});
      return;
    }
    if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST) {
      auto& inner = *expression.Cast<duckdb::BoundCastExpression>().child;
      if (IsTime(inner.return_type) && IsTime(expression.return_type)) return Narrow(inner, range);
      if (IsTime(inner.return_type) && IsDate(expression.return_type))
        return NarrowEnds(inner, range, [](int64_t days) { return std::optional(days * kDayUs); });
      if (IsDate(inner.return_type) && IsTime(expression.return_type))
        return NarrowEnds(inner, range, [](int64_t us) { return std::optional(CeilDiv(us, kDayUs)); });
      return;
    }
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return;
    auto& call = expression.Cast<duckdb::BoundFunctionExpression>();
    if ((call.function.name != "date_trunc" && call.function.name != "datetrunc") || call.children.size() != 2) return;
    auto& inner = *call.children[1];
    auto unit = Constant(*call.children[0]);
    if (!unit || unit->type().id() != LogicalTypeId::VARCHAR || !IsTime(inner.return_type) || !IsTime(call.return_type)) return;
    const auto name = duckdb::StringUtil::Lower(duckdb::StringValue::Get(*unit));
    NarrowEnds(inner, range, [&](int64_t us) { return RoundUp(name, us); });
  }

  // An end that `change` cannot move is dropped: the range grows, which is never wrong.
  void NarrowEnds(const duckdb::Expression& inner, const Range& range, auto&& change) {
    Narrow(inner, {ThroughEnds(range.from, change), ThroughEnds(range.to, change)});
  }

  void ReadOperator(const duckdb::BoundOperatorExpression& operation) {
    switch (operation.GetExpressionType()) {
      case ExpressionType::OPERATOR_IS_NULL:
        if (auto* column = Column(*operation.children[0])) Add({column->id, FilterOp::kIsNull, {}});
        return;
      case ExpressionType::OPERATOR_IS_NOT_NULL:
        if (auto* column = Column(*operation.children[0])) Add({column->id, FilterOp::kIsNotNull, {}});
        return;
      case ExpressionType::COMPARE_IN: return ReadIn(operation);
      default: return;
    }
  }

  // The range from the least to the greatest of the list.
  void ReadIn(const duckdb::BoundOperatorExpression& in) {
    Range range;
    for (size_t i = 1; i < in.children.size(); i++) {
      auto constant = Constant(*in.children[i]);
      if (!constant || constant->type() != in.children[0]->return_type) return;
      auto number = NumberOf(*constant);
      if (!number) return;
      range.from = std::min(range.from.value_or(*number), *number);
      range.to = std::max(range.to.value_or(*number + 1), *number + 1);
    }
    if (in.children[0]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) Narrow(*in.children[0], range);
  }

  void ReadFunction(const duckdb::BoundFunctionExpression& call) {
    if ((call.function.name != "prefix" && call.function.name != "starts_with" && call.function.name != "^@") || call.children.size() != 2)
      return;
    auto* column = Column(*call.children[0]);
    auto constant = Constant(*call.children[1]);
    if (column == nullptr || column->type.id != iceberg::TypeId::kString || !constant || constant->type().id() != LogicalTypeId::VARCHAR)
      return;
    const std::string& prefix = duckdb::StringValue::Get(*constant);
    if (prefix.empty()) return;
    Add({column->id, FilterOp::kGreaterEqual, {prefix}});
    // The least text behind all that begin so; not always UTF-8, but strings are compared as bytes.
    if (auto behind = iceberg::TruncateBinaryUpper(prefix + '\0', prefix.size())) Add({column->id, FilterOp::kLess, {std::move(*behind)}});
  }

  void Add(ColumnFilter filter) {
    if (to_.size() < kScanFiltersMax && std::find(to_.begin(), to_.end(), filter) == to_.end()) to_.push_back(std::move(filter));
  }

  duckdb::ClientContext& client_;
  const duckdb::MultiFilePushdownInfo& scan_;
  const BoundTable& table_;
  std::vector<ColumnFilter>& to_;
};

}  // namespace

void AppendExpressionFilters(duckdb::ClientContext& client, const duckdb::Expression& condition, const duckdb::MultiFilePushdownInfo& scan,
                             const BoundTable& table, std::vector<iceberg::ColumnFilter>& to) {
  Reader(client, scan, table, to).Read(condition);
}

}  // namespace sluice::query
