// SPDX-License-Identifier: Apache-2.0
#include "query/value_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/time.h"

namespace sluice::query {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

template <class T>
bool AppendFinite(T value, std::string& out) {
  if (std::isnan(value)) return out += "NaN", false;
  if (std::isinf(value)) return out += value < 0 ? "-Infinity" : "Infinity", false;
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
  return true;
}

void AppendPadded(int64_t n, size_t digits, std::string& out) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, n).ptr;
  auto length = static_cast<size_t>(end - text);
  if (length < digits) out.append(digits - length, '0');
  out.append(text, length);
}

// ".5" as ".500000": as many digits as the unit has, none for whole seconds.
void AppendFraction(int64_t units, int64_t per_second, std::string& out) {
  if (units == 0) return;
  size_t digits = per_second == 1'000 ? 3 : per_second == 1'000'000 ? 6 : 9;
  out += '.';
  AppendPadded(units, digits, out);
}

void AppendCount(int64_t n, char unit, std::string& out) {
  if (n == 0) return;
  out += std::to_string(n);
  out += unit;
}

}  // namespace

bool AppendFloat(double value, std::string& out) { return AppendFinite(value, out); }
bool AppendFloat(float value, std::string& out) { return AppendFinite(value, out); }

void AppendDate(int64_t days, std::string& out) {
  if (days == INT32_MAX || days == -INT32_MAX) {  // as DuckDB has them
    out += days < 0 ? "-infinity" : "infinity";
    return;
  }
  int64_t year = 0;
  unsigned month = 0, day = 0;
  base::CivilFromDays(days, year, month, day);
  if (year < 0) out += '-';
  if (year > 9999) out += '+';
  AppendPadded(std::abs(year), 4, out);
  out += '-';
  AppendPadded(month, 2, out);
  out += '-';
  AppendPadded(day, 2, out);
}

void AppendTime(int64_t units, int64_t per_second, std::string& out) {
  int64_t seconds = base::FloorDiv(units, per_second);
  AppendPadded(seconds / 3600, 2, out);
  out += ':';
  AppendPadded(seconds / 60 % 60, 2, out);
  out += ':';
  AppendPadded(seconds % 60, 2, out);
  AppendFraction(base::FloorMod(units, per_second), per_second, out);
}

void AppendTimestamp(int64_t units, int64_t per_second, bool utc, std::string& out) {
  if (units == INT64_MAX || units == -INT64_MAX) {  // DuckDB's infinities
    out += units < 0 ? "-infinity" : "infinity";
    return;
  }
  const int64_t per_day = per_second * kSecondsPerDay;
  AppendDate(base::FloorDiv(units, per_day), out);
  out += 'T';
  AppendTime(base::FloorMod(units, per_day), per_second, out);
  if (utc) out += 'Z';
}

void AppendDecimal128(const void* bytes, int scale, std::string& out) {
  uint64_t low = 0;
  int64_t high = 0;
  std::memcpy(&low, bytes, sizeof low);
  std::memcpy(&high, static_cast<const char*>(bytes) + sizeof low, sizeof high);
  bool negative = high < 0;
  auto upper = static_cast<uint64_t>(high);
  if (negative) {
    low = ~low + 1;
    upper = ~upper + (low == 0 ? 1 : 0);
  }
  // Long division by 10, 32 bits at a time.
  uint32_t parts[4] = {static_cast<uint32_t>(upper >> 32), static_cast<uint32_t>(upper), static_cast<uint32_t>(low >> 32),
                       static_cast<uint32_t>(low)};
  std::string digits;
  while ((parts[0] | parts[1] | parts[2] | parts[3]) != 0) {
    uint64_t rest = 0;
    for (auto& part : parts) {
      uint64_t value = rest << 32 | part;
      part = static_cast<uint32_t>(value / 10);
      rest = value % 10;
    }
    digits += static_cast<char>('0' + rest);
  }
  auto fraction = static_cast<size_t>(std::max(scale, 0));
  if (digits.size() <= fraction) digits.append(fraction + 1 - digits.size(), '0');
  std::reverse(digits.begin(), digits.end());
  if (scale < 0 && digits != "0") digits.append(static_cast<size_t>(-scale), '0');
  if (negative) out += '-';
  out.append(digits, 0, digits.size() - fraction);
  if (fraction > 0) out.append(".").append(digits, digits.size() - fraction, fraction);
}

void AppendBase64(std::string_view bytes, std::string& out) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; k++) group = group << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; k++) out += k <= n ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
}

void AppendInterval(int32_t months, int32_t days, int64_t nanoseconds, std::string& out) {
  constexpr int64_t kPerSecond = 1'000'000'000;
  size_t start = out.size();
  out += 'P';
  AppendCount(months / 12, 'Y', out);
  AppendCount(months % 12, 'M', out);
  AppendCount(days, 'D', out);
  if (nanoseconds != 0) {
    out += 'T';
    int64_t seconds = nanoseconds / kPerSecond, fraction = nanoseconds % kPerSecond;
    AppendCount(seconds / 3600, 'H', out);
    AppendCount(seconds / 60 % 60, 'M', out);
    if (seconds % 60 != 0 || fraction != 0) {
      if (nanoseconds < 0) out += '-';
      out += std::to_string(std::abs(seconds % 60));
      AppendFraction(std::abs(fraction), kPerSecond, out);
      while (fraction != 0 && out.back() == '0') out.pop_back();
      out += 'S';
    }
  }
  if (out.size() == start + 1) out += "T0S";
}

}  // namespace sluice::query
