// SPDX-License-Identifier: Apache-2.0
#include "query/worker/utc_functions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "duckdb/function/cast/cast_function_set.hpp"

namespace sluice::query {
namespace {

// Infinity, the ends of what there is, before 1582 and before 1970, leap days, ends of years and of weeks, and times all over the centuries.
constexpr const char* kTimes = R"(CREATE TABLE times AS
  SELECT time, lag(time, 7) OVER () AS other FROM (
    SELECT time::TIMESTAMPTZ AS time FROM (VALUES ('infinity'), ('-infinity'), (NULL), ('0001-01-01 00:00:00Z'), ('1582-10-04 23:59:59Z'),
      ('1582-10-15 00:00:00Z'), ('1969-12-31 23:59:59.999999Z'), ('1970-01-01 00:00:00Z'), ('2000-02-29 12:34:56.789Z'), ('2021-01-03 23:59:59Z'),
      ('2024-02-29 00:00:00Z'), ('2026-11-22 08:00:00.000001Z'), ('9999-12-31 23:59:59.999999Z')) AS given(time)
    UNION ALL SELECT make_timestamptz(((hash(i) % 3_000_000_000_000_000_000)::BIGINT // 10 - 62_000_000_000_000_000)) FROM range(3000) AS counted(i)))";

const std::vector<std::string> kParts = {"microsecond", "millisecond", "second", "minute", "hour",    "day",        "week",
                                         "month",       "quarter",     "year",   "decade", "century", "millennium", "isoyear"};
const std::vector<std::string> kPartsToRead = {"era",   "dow",    "isodow",   "doy",           "yearweek",
                                               "epoch", "julian", "timezone", "timezone_hour", "timezone_minute"};

std::vector<std::string> Expressions() {
  std::vector<std::string> all = {"time::TIMESTAMP",
                                  "time::DATE",
                                  "time::VARCHAR",
                                  "time::DATE::TIMESTAMPTZ",
                                  "time::TIMESTAMP::TIMESTAMPTZ",
                                  "TRY_CAST(time AS DATE)",
                                  "last_day(time)",
                                  "dayname(time)",
                                  "monthname(time)",
                                  "era(time)",
                                  "century(time)",
                                  "millennium(time)",
                                  "decade(time)",
                                  "year(time)",
                                  "isoyear(time)",
                                  "quarter(time)",
                                  "month(time)",
                                  "day(time)",
                                  "dayofmonth(time)",
                                  "dayofweek(time)",
                                  "dayofyear(time)",
                                  "week(time)",
                                  "weekday(time)",
                                  "weekofyear(time)",
                                  "yearweek(time)",
                                  "isodow(time)",
                                  "hour(time)",
                                  "minute(time)",
                                  "second(time)",
                                  "millisecond(time)",
                                  "microsecond(time)",
                                  "julian(time)",
                                  "strftime(time, '%Y-%m-%d %H:%M:%S.%f %j %a %A %b %B %U %W %V %G %u %w %p %I %-d %g')",
                                  "strftime(time, '%Z %z')",
                                  "strftime(time, '%c %x %X')",
                                  "strftime('%H', time)",
                                  "time + INTERVAL 1 MONTH",
                                  "time + INTERVAL '1 day 2 hours 3 us'",
                                  "INTERVAL '-1 year' + time",
                                  "time - INTERVAL '5 weeks'",
                                  "time - other",
                                  "other - time",
                                  "date_part(['year', 'hour', 'epoch'], time)",
                                  "time_bucket(INTERVAL 1 WEEK, time)",
                                  "time_bucket(INTERVAL 15 MINUTE, time, INTERVAL 5 MINUTE)",
                                  "time_bucket(INTERVAL 3 MONTHS, time)",
                                  "time_bucket(INTERVAL 10 DAYS, time, TIMESTAMPTZ '2020-01-01 00:00:00Z')",
                                  "date_trunc(CASE WHEN hash(time) % 2 = 0 THEN 'day' ELSE 'hour' END, time)",
                                  "datetrunc('HOUR', time)",
                                  "time AT TIME ZONE 'Europe/Berlin'",
                                  "timezone('UTC', time)",
                                  "date_trunc('day', time AT TIME ZONE 'America/New_York')",
                                  "age(time, other)",
                                  "epoch_us(time)",
                                  "time > '2020-06-01'::DATE",
                                  "time < other::TIMESTAMP",
                                  "extract('hour' FROM time)",
                                  "date_trunc('month', time)::DATE",
                                  "strptime(strftime(time, '%Y-%m-%d'), '%Y-%m-%d')",
                                  "list_transform([time, other], x -> date_trunc('hour', x))",
                                  "greatest(time, other)"};
  for (auto& part : kParts) {
    all.push_back("date_trunc('" + part + "', time)");
    all.push_back("date_diff('" + part + "', time, other)");
    all.push_back("date_sub('" + part + "', time, other)");
    all.push_back("date_part('" + part + "', time)");
  }
  for (auto& part : kPartsToRead) all.push_back("date_part('" + part + "', time)");
  return all;
}

// One text for each row, or the error.
std::string Answer(duckdb::Connection& connection, const std::string& expression) {
  std::string text;
  auto types = connection.Query("SELECT typeof(" + expression + ") FROM times LIMIT 1");
  text += types->HasError() ? types->GetError() : types->GetValue(0, 0).ToString();
  for (const char* where :
       {"isfinite(time) AND isfinite(other)", "NOT isfinite(time) OR NOT isfinite(other)", "time IS NULL OR other IS NULL"}) {
    auto rows = connection.Query("SELECT time, other, " + expression + " FROM times WHERE " + where);
    text += rows->HasError() ? "\n" + rows->GetError() : "\n" + rows->ToString();
  }
  return text;
}

// Goal: statements give what they would give without this. Method: each function and part, of times of all kinds, in a database of each kind.
TEST(UtcFunctions, SayWhatIcuSays) {
  duckdb::DBConfig config;
  const auto with_database = OpenInUtc(config);
  duckdb::DuckDB without_database(nullptr);
  duckdb::Connection with(*with_database), without(without_database);
  for (auto* connection : {&with, &without})
    for (const char* sql : {"SET TimeZone='UTC'", kTimes}) {
      auto done = connection->Query(sql);
      ASSERT_FALSE(done->HasError()) << done->GetError();
    }
  int answered = 0;
  for (auto& expression : Expressions()) {
    const std::string expected = Answer(without, expression);
    EXPECT_EQ(Answer(with, expression), expected) << expression;
    answered += expected.find("Error") == std::string::npos;
  }
  EXPECT_GT(answered, 90);
}

TEST(UtcFunctions, AreNotIcus) {
  duckdb::DBConfig config;
  const auto database = OpenInUtc(config);
  duckdb::Connection connection(*database);
  connection.Query("SET TimeZone='UTC'");
  auto plan = connection.Query("EXPLAIN SELECT date_trunc('hour', time) FROM (SELECT now() + to_hours(i) AS time FROM range(9) AS r(i))");
  ASSERT_FALSE(plan->HasError()) << plan->GetError();
  EXPECT_NE(plan->GetValue(1, 0).ToString().find("AS TIMESTAMP)"), std::string::npos) << plan->ToString();
}

// A plan shows that something is cast, not by whom: the casts that calls now stand between were ICU's, so that nothing was gained.
TEST(UtcFunctions, CastWithoutIcu) {
  using duckdb::LogicalType;
  duckdb::DBConfig config;
  const auto with_database = OpenInUtc(config);
  duckdb::DuckDB without_database(nullptr);
  duckdb::Connection with(*with_database), without(without_database);
  const LogicalType zoned = LogicalType::TIMESTAMP_TZ;
  const auto function = [](duckdb::Connection& connection, const LogicalType& from, const LogicalType& to) {
    duckdb::GetCastFunctionInput input(*connection.context);
    return duckdb::CastFunctionSet::Get(*connection.context).GetCastFunction(from, to, input).function;
  };
  const auto cost = [](duckdb::Connection& connection, const LogicalType& from, const LogicalType& to) {
    return duckdb::CastFunctionSet::ImplicitCastCost(*connection.context, from, to);
  };
  with.BeginTransaction();
  without.BeginTransaction();
  EXPECT_EQ(function(with, zoned, LogicalType::TIMESTAMP), duckdb::DefaultCasts::ReinterpretCast);
  EXPECT_EQ(function(with, LogicalType::TIMESTAMP, zoned), duckdb::DefaultCasts::ReinterpretCast);
  EXPECT_EQ(function(with, zoned, LogicalType::DATE), function(without, LogicalType::TIMESTAMP, LogicalType::DATE));
  EXPECT_EQ(function(with, LogicalType::DATE, zoned), function(without, LogicalType::DATE, LogicalType::TIMESTAMP));
  EXPECT_NE(function(with, zoned, LogicalType::VARCHAR), function(without, zoned, LogicalType::VARCHAR));
  for (const LogicalType other : {LogicalType::TIMESTAMP, LogicalType::DATE, LogicalType::VARCHAR}) {
    EXPECT_EQ(cost(with, zoned, other), cost(without, zoned, other)) << other.ToString();
    EXPECT_EQ(cost(with, other, zoned), cost(without, other, zoned)) << other.ToString();
  }
}

}  // namespace
}  // namespace sluice::query
