// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

constexpr int64_t kUnparsed = 42;

int64_t Parsed(std::string_view text) {
  Timestamp t{kUnparsed};
  EXPECT_TRUE(ParseRfc3339(text, t)) << text;
  return t.us;
}
void ExpectBad(std::string_view text) {
  Timestamp t{kUnparsed};
  EXPECT_FALSE(ParseRfc3339(text, t)) << text;
  EXPECT_EQ(t.us, kUnparsed) << text;
}

TEST(Rfc3339, ParsesSecondsFractionsAndOffsets) {
  EXPECT_EQ(Parsed("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(Parsed("1970-01-01t00:00:01z"), 1'000'000);
  EXPECT_EQ(Parsed("1970-01-01T00:00:00.1Z"), 100'000);
  EXPECT_EQ(Parsed("1970-01-01T00:00:00.123456789Z"), 123'456);
  EXPECT_EQ(Parsed("1970-01-01T00:00:00.9999999Z"), 999'999) << "cut, not rounded";
  EXPECT_EQ(Parsed("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(Parsed("1969-12-31T19:30:00-04:30"), 0);
  EXPECT_EQ(Parsed("1970-01-01T00:00:00-00:00"), 0);
  EXPECT_EQ(Parsed("2026-01-15T00:00:00Z"), 1'768'435'200'000'000);
}

TEST(Rfc3339, TimesBefore1970AreNegative) {
  EXPECT_EQ(Parsed("1969-12-31T23:59:59Z"), -1'000'000);
  EXPECT_EQ(Parsed("1969-12-31T23:59:59.999999Z"), -1);
  EXPECT_EQ(Parsed("1970-01-01T00:00:00+00:01"), -60'000'000);
}

TEST(Rfc3339, LeapSecondIsTheNextSecond) {
  EXPECT_EQ(Parsed("2016-12-31T23:59:60Z"), Parsed("2017-01-01T00:00:00Z"));
  EXPECT_EQ(Parsed("2016-12-31T15:59:60.5-08:00"), Parsed("2017-01-01T00:00:00.5Z"));
  ExpectBad("2016-12-31T23:59:61Z");
}

TEST(Rfc3339, OffsetsEndBelow24Hours) {
  EXPECT_EQ(Parsed("1970-01-02T00:00:00+23:59"), 60'000'000);
  for (auto bad : {"1970-01-02T00:00:00+24:00", "1970-01-02T00:00:00+00:60", "1970-01-02T00:00:00+0100", "1970-01-02T00:00:00+01", "1970-01-02T00:00:00 01:00"}) ExpectBad(bad);
}

TEST(Rfc3339, LeapYearsAndMonthLengths) {
  EXPECT_EQ(Parsed("2024-02-29T00:00:00Z") + kMicrosPerDay, Parsed("2024-03-01T00:00:00Z"));
  EXPECT_EQ(Parsed("2000-02-29T00:00:00Z") + kMicrosPerDay, Parsed("2000-03-01T00:00:00Z"));
  for (auto bad : {"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2024-04-31T00:00:00Z", "2024-01-32T00:00:00Z", "2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z",
                   "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z"})
    ExpectBad(bad);
}

TEST(Rfc3339, YearsFrom0000To9999) {
  EXPECT_EQ(FormatRfc3339(Timestamp{Parsed("0000-01-01T00:00:00Z")}), "0000-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(Timestamp{Parsed("9999-12-31T23:59:59.999999Z")}), "9999-12-31T23:59:59.999999Z");
  ExpectBad("10000-01-01T00:00:00Z");
  ExpectBad("-001-01-01T00:00:00Z");
}

// The time of an event was taken, and written as no reader takes it.
TEST(Rfc3339, LeapSecondsAndOffsetsDoNotLeadOutOfTheYears) {
  Timestamp t;
  EXPECT_TRUE(ParseRfc3339("9999-12-31T23:59:59.999999Z", t));
  EXPECT_FALSE(ParseRfc3339("9999-12-31T23:59:60Z", t));
  EXPECT_FALSE(ParseRfc3339("9999-12-31T23:59:59-00:01", t));
  EXPECT_TRUE(ParseRfc3339("0000-01-01T00:01:00+00:01", t));
  EXPECT_FALSE(ParseRfc3339("0000-01-01T00:00:00+00:01", t));
}

TEST(Rfc3339, RefusesWhatOnlyLooksLikeATime) {
  for (auto bad : {"", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-1-1T00:00:00Z", "2024-01-01T00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00,5Z",
                   "2024-01-01T00:00:00Zx", " 2024-01-01T00:00:00Z", "2024-01-01T00:00:00ZZ", "2024/01/01T00:00:00Z", "2O24-01-01T00:00:00Z", "2024-01-01T0a:00:00Z"})
    ExpectBad(bad);
  ExpectBad("2024-01-01T00:00:00." + std::string(100, '1') + "Z");
}

TEST(Rfc3339, FormatsMicrosecondsOnlyWhenThereAreAny) {
  EXPECT_EQ(FormatRfc3339(Timestamp{0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(Timestamp{1}), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(FormatRfc3339(Timestamp{-1}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatRfc3339(Timestamp{Parsed("9999-12-31T23:59:59Z") + kMicrosPerSecond}), "+10000-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(Timestamp{Parsed("0000-01-01T00:00:00Z") - kMicrosPerSecond}), "-00001-12-31T23:59:59Z");
}

// Goal: civil dates and day numbers are inverse. Method: every day of 800 years around the epoch, which covers two full cycles.
TEST(CivilDays, GoBothWays) {
  int64_t expected = DaysFromCivil(1570, 1, 1);
  for (int64_t days = expected; days < DaysFromCivil(2370, 1, 1); days++) {
    int64_t year = 0;
    unsigned month = 0, day = 0;
    CivilFromDays(days, year, month, day);
    ASSERT_EQ(DaysFromCivil(year, month, day), days);
  }
  EXPECT_EQ(DaysFromCivil(1970, 1, 1), 0);
  EXPECT_EQ(DaysFromCivil(1969, 12, 31), -1);
  EXPECT_EQ(DaysFromCivil(2000, 3, 1), 11'017);
}

TEST(FloorDiv, RoundsDownOnBothSides) {
  EXPECT_EQ(FloorDiv(7, 2), 3);
  EXPECT_EQ(FloorDiv(-7, 2), -4);
  EXPECT_EQ(FloorDiv(-8, 2), -4);
  EXPECT_EQ(FloorDiv(-1, kMicrosPerHour), -1);
}

}  // namespace
}  // namespace sluice::base
