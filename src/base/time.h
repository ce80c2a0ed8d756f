// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Points in time are microseconds since 1970-01-01T00:00:00Z, leap seconds not counted: what Iceberg's timestamptz holds.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Microseconds since the epoch, UTC. Negative before 1970.
struct Timestamp {
  int64_t us = 0;
  constexpr auto operator<=>(const Timestamp&) const = default;
};

constexpr int64_t kMicrosPerMilli = 1'000;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

namespace base {

// Division that rounds down, also below zero: hours and days before 1970.
constexpr int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
// What that leaves, in [0, b), for b > 0; FloorDiv(a, b) * b may be no int64_t.
template <class Int>
constexpr Int FloorMod(Int a, Int b) {
  return (a % b + b) % b;
}

// RFC 3339 with seconds and offset ("2026-01-15T00:00:00.123456Z", "+02:00"); `T` and `Z` in either case; a leap second
// (":60") counts as the next second; digits beyond microseconds are cut. Years 0000 to 9999.
// False: not such a text, then `out` is unchanged.
bool ParseRfc3339(std::string_view text, Timestamp& out);

// "2026-01-15T00:00:00Z", with ".ffffff" only when there are microseconds. Years outside 0000..9999 get a sign and more digits.
std::string FormatRfc3339(Timestamp t);

// Proleptic Gregorian days since 1970-01-01.
int64_t DaysFromCivil(int64_t year, unsigned month, unsigned day);
void CivilFromDays(int64_t days, int64_t& year, unsigned& month, unsigned& day);

}  // namespace base
}  // namespace sluice
