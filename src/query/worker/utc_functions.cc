// SPDX-License-Identifier: Apache-2.0
#include "query/worker/utc_functions.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/cast/cast_function_set.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/main/extension_helper.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"

namespace sluice::query {
namespace {

using duckdb::LogicalType;
using Children = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

// Those of ICU that give the same answer as their namesakes of a TIMESTAMP when the zone is UTC, but for years before the first, which the
// namesakes count below zero. Left out: what is about the zone itself (timezone...), the moment of the statement (age of one time), what
// is cheap as it is (epoch...), and date_sub, which differs for years of weeks.
constexpr std::array kFunctions = {
    "date_trunc", "datetrunc", "date_part", "datepart", "date_diff",   "datediff",   "time_bucket", "last_day", "strftime",
    "century",    "day",       "dayname",   "decade",   "dayofmonth",  "dayofweek",  "dayofyear",   "era",      "hour",
    "isodow",     "isoyear",   "julian",    "month",    "microsecond", "millennium", "millisecond", "minute",   "monthname",
    "quarter",    "second",    "week",      "weekday",  "weekofyear",  "year",       "yearweek",    "+",        "-"};

LogicalType WithoutZone(const LogicalType& type) {
  return type.id() == duckdb::LogicalTypeId::TIMESTAMP_TZ ? LogicalType::TIMESTAMP : type;
}

duckdb::vector<LogicalType> WithoutZone(const duckdb::vector<LogicalType>& types) {
  duckdb::vector<LogicalType> without;
  for (auto& type : types) without.push_back(WithoutZone(type));
  return without;
}

// A format that names the zone: a TIMESTAMP has none to print.
bool NamesZone(duckdb::ClientContext& client, const duckdb::Expression& child) {
  if (child.return_type.id() != duckdb::LogicalTypeId::VARCHAR) return false;
  duckdb::Value format;
  if (!child.IsFoldable() || !duckdb::ExpressionExecutor::TryEvaluateScalar(client, child, format) || format.IsNull()) return true;
  const std::string& text = duckdb::StringValue::Get(format);
  return text.find('Z') != text.npos || text.find('z') != text.npos || text.find("%c") != text.npos || text.find("timezone") != text.npos;
}

duckdb::unique_ptr<duckdb::Expression> Cast(duckdb::ClientContext& client, duckdb::unique_ptr<duckdb::Expression> child,
                                            const LogicalType& type) {
  return duckdb::BoundCastExpression::AddCastToType(client, std::move(child), type);
}

// What a call becomes: name(CAST(time AS TIMESTAMP)), as TIMESTAMP WITH TIME ZONE again if it is a time. Null: it stays as it is.
template <size_t function>
duckdb::unique_ptr<duckdb::Expression> CallInUtc(duckdb::FunctionBindExpressionInput& input) {
  auto& client = input.context;
  const bool has_lost_its_part =
      std::string_view(kFunctions[function]).starts_with("date") && input.children.size() == 1;  // ICU keeps it elsewhere
  if (has_lost_its_part || std::ranges::any_of(input.children, [&](auto& child) { return NamesZone(client, *child); })) return nullptr;
  Children children;
  for (auto& child : input.children) children.push_back(Cast(client, child->Copy(), WithoutZone(child->return_type)));
  duckdb::ErrorData error;
  auto call = duckdb::FunctionBinder(client).BindScalarFunction(DEFAULT_SCHEMA, kFunctions[function], std::move(children), error, false);
  if (error.HasError()) error.Throw();
  const bool is_time = call->return_type.id() == duckdb::LogicalTypeId::TIMESTAMP;
  return is_time ? Cast(client, std::move(call), LogicalType::TIMESTAMP_TZ) : std::move(call);
}

using Rewrite = duckdb::function_bind_expression_t;

template <size_t... function>
constexpr std::array<Rewrite, sizeof...(function)> Rewrites(std::index_sequence<function...>) {
  return {CallInUtc<function>...};
}

constexpr auto kRewrites = Rewrites(std::make_index_sequence<kFunctions.size()>());

// Sets `rewrite` for the overloads of a time with a zone that have a namesake of a time without one.
void RewriteOverloads(duckdb::ScalarFunctionSet& overloads, Rewrite rewrite) {
  bool any = false;
  for (auto& overload : overloads.functions) {
    const auto plain = WithoutZone(overload.arguments);
    if (plain == overload.arguments) continue;
    auto has_plain = [&](const duckdb::ScalarFunction& other) {
      return other.arguments == plain && other.return_type == WithoutZone(overload.return_type);
    };
    if (std::ranges::none_of(overloads.functions, has_plain)) continue;
    overload.SetBindExpressionCallback(rewrite);
    any = true;
  }
  if (!any) throw duckdb::InternalException("%s of a time with a zone is not what it was: look at utc_functions.cc", overloads.name);
}

// A cast as that of a TIMESTAMP: the same microseconds.
duckdb::BoundCastInfo CastAsWithoutZone(duckdb::BindCastInput& input, const LogicalType& from, const LogicalType& to) {
  return duckdb::DefaultCasts::GetDefaultCastFunction(input, WithoutZone(from), WithoutZone(to));
}

// As DuckDB casts it to text without ICU: in UTC.
duckdb::BoundCastInfo CastToText(duckdb::BindCastInput& input, const LogicalType& from, const LogicalType& to) {
  return duckdb::DefaultCasts::GetDefaultCastFunction(input, from, to);
}

// Of the casts that are made without being asked for: ICU's own, or other overloads would be chosen than without this.
constexpr int64_t kImplicitCostToZoned = 123;

void AddCasts(duckdb::ExtensionLoader& loader) {
  const LogicalType zoned = LogicalType::TIMESTAMP_TZ;
  loader.RegisterCastFunction(zoned, LogicalType::TIMESTAMP, duckdb::BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast));
  loader.RegisterCastFunction(LogicalType::TIMESTAMP, zoned, duckdb::BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast),
                              kImplicitCostToZoned);
  loader.RegisterCastFunction(zoned, LogicalType::DATE, CastAsWithoutZone);
  loader.RegisterCastFunction(LogicalType::DATE, zoned, CastAsWithoutZone, kImplicitCostToZoned);
  loader.RegisterCastFunction(zoned, LogicalType::VARCHAR, CastToText);
}

}  // namespace

std::unique_ptr<duckdb::DuckDB> OpenInUtc(duckdb::DBConfig& config) {
  config.options.load_extensions = false;  // ICU is one of them, and of two casts for the same types the first stays
  auto database = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  duckdb::ExtensionLoader loader(*database->instance, "utc");
  AddCasts(loader);
  duckdb::ExtensionHelper::LoadAllExtensions(*database);
  for (size_t i = 0; i < kFunctions.size(); i++) RewriteOverloads(loader.GetFunction(kFunctions[i]).functions, kRewrites[i]);
  return database;
}

}  // namespace sluice::query
