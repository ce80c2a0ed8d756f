// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Single values as text. Each appends to `out`.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::query {

// The shortest text that reads back as the same number; "NaN", "Infinity", "-Infinity". Returns whether it is a JSON number.
bool AppendFloat(double value, std::string& out);
bool AppendFloat(float value, std::string& out);
// "2026-01-15"; years before 0000 with '-', after 9999 with '+'; "infinity", "-infinity".
void AppendDate(int64_t days, std::string& out);
// "10:00:00", with ".ffffff" (or nine digits for nanoseconds) when there is a fraction. `per_second`: 1, 1'000, 1'000'000 or 1'000'000'000.
void AppendTime(int64_t units, int64_t per_second, std::string& out);
// "2026-01-15T10:00:00Z", the zone only if `utc`.
void AppendTimestamp(int64_t units, int64_t per_second, bool utc, std::string& out);
// A two's complement little-endian integer of 16 bytes with `scale` decimal digits.
void AppendDecimal128(const void* bytes, int scale, std::string& out);
void AppendBase64(std::string_view bytes, std::string& out);
// ISO 8601: "P1Y2M3DT4H5M6.5S"; "PT0S" when all are zero.
void AppendInterval(int32_t months, int32_t days, int64_t nanoseconds, std::string& out);

}  // namespace sluice::query
