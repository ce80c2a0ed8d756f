// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <cstdio>

namespace sluice::base {
namespace {

// The seconds of 0000-01-01 and 10000-01-01: DaysFromCivil(...) * 86400.
constexpr int64_t kFirstSecond = -62'167'219'200, kEndSecond = 253'402'300'800;

// Two decimal digits, or 1000.
unsigned TwoDigits(const char* p) {
  unsigned a = static_cast<unsigned>(p[0] - '0'), b = static_cast<unsigned>(p[1] - '0');
  return a > 9 || b > 9 ? 1000 : a * 10 + b;
}

unsigned DaysInMonth(unsigned year, unsigned month) {
  static constexpr unsigned char kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// "Z" or "+hh:mm"; seconds east of UTC. False: neither.
bool ParseOffset(std::string_view text, int& seconds) {
  if (text.size() == 1 && (text[0] | 0x20) == 'z') { seconds = 0; return true; }
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  unsigned h = TwoDigits(&text[1]), m = TwoDigits(&text[4]);
  if (h > 23 || m > 59) return false;
  seconds = static_cast<int>(h * 3600 + m * 60) * (text[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
int64_t DaysFromCivil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = FloorDiv(year, 400);
  const auto yoe = static_cast<unsigned>(year - era * 400);
  const unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<int64_t>(doe) - 719468;
}

void CivilFromDays(int64_t days, int64_t& year, unsigned& month, unsigned& day) {
  days += 719468;
  const int64_t era = FloorDiv(days, 146097);
  const auto doe = static_cast<unsigned>(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  day = doy - (153 * mp + 2) / 5 + 1;
  month = mp < 10 ? mp + 3 : mp - 9;
  year = static_cast<int64_t>(yoe) + era * 400 + (month <= 2);
}

bool ParseRfc3339(std::string_view text, Timestamp& out) {
  constexpr size_t kShortest = 20, kLongest = 64;
  if (text.size() < kShortest || text.size() > kLongest) return false;
  const char* p = text.data();
  unsigned century = TwoDigits(p), year2 = TwoDigits(p + 2), month = TwoDigits(p + 5), day = TwoDigits(p + 8);
  if (century > 99 || year2 > 99 || p[4] != '-' || p[7] != '-' || month < 1 || month > 12 || day < 1) return false;
  unsigned year = century * 100 + year2;
  if (day > DaysInMonth(year, month)) return false;
  unsigned h = TwoDigits(p + 11), m = TwoDigits(p + 14), s = TwoDigits(p + 17);
  if ((p[10] | 0x20) != 't' || p[13] != ':' || p[16] != ':' || h > 23 || m > 59 || s > 60) return false;
  size_t at = 19;
  int64_t micros = 0;
  if (text[at] == '.') {
    size_t digits = 0;
    for (at++; at < text.size() && static_cast<unsigned>(text[at] - '0') < 10; at++, digits++)
      if (digits < 6) micros = micros * 10 + (text[at] - '0');
    if (digits == 0) return false;
    for (; digits < 6; digits++) micros *= 10;
  }
  int offset = 0;
  if (!ParseOffset(text.substr(at), offset)) return false;
  int64_t seconds = DaysFromCivil(year, month, day) * 86400 + static_cast<int64_t>(h * 3600 + m * 60 + s) - offset;
  // A leap second or an offset can lead out of the years that the format has.
  if (seconds < kFirstSecond || seconds >= kEndSecond) return false;
  out.us = seconds * kMicrosPerSecond + micros;
  return true;
}

std::string FormatRfc3339(Timestamp t) {
  int64_t days = FloorDiv(t.us, kMicrosPerDay), rest = t.us - days * kMicrosPerDay, year = 0;
  unsigned month = 0, day = 0;
  CivilFromDays(days, year, month, day);
  auto seconds = static_cast<int>(rest / kMicrosPerSecond), micros = static_cast<int>(rest % kMicrosPerSecond);
  char text[64];
  int n = std::snprintf(text, sizeof text, year >= 0 && year <= 9999 ? "%04lld-%02u-%02uT%02d:%02d:%02d" : "%+06lld-%02u-%02uT%02d:%02d:%02d",
                        static_cast<long long>(year), month, day, seconds / 3600, seconds / 60 % 60, seconds % 60);
  n += micros != 0 ? std::snprintf(text + n, sizeof text - static_cast<size_t>(n), ".%06dZ", micros) : std::snprintf(text + n, sizeof text - static_cast<size_t>(n), "Z");
  return std::string(text, static_cast<size_t>(n));
}

}  // namespace sluice::base
