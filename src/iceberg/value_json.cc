// SPDX-License-Identifier: Apache-2.0
//
// Single values as JSON and as text: Iceberg table spec, appendix D.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/bytes.h"
#include "base/time.h"
#include "iceberg/value.h"

namespace sluice::iceberg {
namespace {

constexpr int32_t kDecimalDigitsMax = 38;

std::string DateToText(int64_t days) {
  int64_t year = 0;
  unsigned month = 0, day = 0;
  base::CivilFromDays(days, year, month, day);
  char text[32];
  std::snprintf(text, sizeof text, "%04lld-%02u-%02u", static_cast<long long>(year), month, day);
  return text;
}

std::string TimestampToText(int64_t us, bool with_zone) {
  std::string text = base::FormatRfc3339(Timestamp{us});
  text.pop_back();  // the Z
  return with_zone ? text + "+00:00" : text;
}

std::string DecimalToText(Int128 value, int32_t scale) {
  bool negative = value < 0;
  auto rest = negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::string digits;
  for (; rest != 0 || digits.size() <= static_cast<size_t>(scale); rest /= 10) digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (scale > 0) digits.insert(static_cast<size_t>(scale), ".");
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// Digits, a sign and at most one point with exactly `scale` digits behind it.
bool DecimalFromText(std::string_view text, int32_t scale, Int128& value) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  size_t point = text.find('.');
  size_t behind = point == std::string_view::npos ? 0 : text.size() - point - 1;
  if (behind != static_cast<size_t>(scale) || text.empty()) return false;
  Int128 sum = 0;
  int32_t digits = 0;
  for (size_t i = 0; i < text.size(); i++) {
    if (i == point) continue;
    if (text[i] < '0' || text[i] > '9' || ++digits > kDecimalDigitsMax + 1) return false;
    sum = sum * 10 + (text[i] - '0');
  }
  value = negative ? -sum : sum;
  return digits > 0;
}

std::string UuidToText(const std::string& bytes) {
  std::string hex = base::ToHex(bytes);
  for (size_t at : {8, 13, 18, 23}) hex.insert(at, "-");
  return hex;
}

Error NoValue(const Json& json, const Type& type) {
  return Error{ErrorCode::kInvalid, json.Dump() + " is no value of type " + type.ToString()};
}

Result<Value> TimeFromText(const Json& json, const Type& type) {
  const std::string& text = json.AsString();
  std::string full = text;
  if (type.id == TypeId::kDate) full += "T00:00:00Z";
  if (type.id == TypeId::kTime) full = "1970-01-01T" + text + "Z";
  if (type.id == TypeId::kTimestamp) full += "Z";
  Timestamp t;
  if (!base::ParseRfc3339(full, t)) return NoValue(json, type);
  return Value(type.id == TypeId::kDate ? t.us / kMicrosPerDay : t.us);
}

Result<Value> BytesFromText(const Json& json, const Type& type) {
  std::string hex = json.AsString();
  if (type.id == TypeId::kUuid) std::erase(hex, '-');
  std::string bytes;
  if (!json.is_string() || !base::FromHex(hex, bytes) || !Fits(Value(bytes), type)) return NoValue(json, type);
  return Value(bytes);
}

}  // namespace

Json ValueToJson(const Value& value, const Type& type) {
  if (IsNull(value)) return Json();
  if (type.id == TypeId::kBoolean) return Json(std::get<bool>(value));
  if (type.id == TypeId::kInt || type.id == TypeId::kLong) return Json(std::get<int64_t>(value));
  if (type.id == TypeId::kFloat) return Json(static_cast<double>(std::get<float>(value)));
  if (type.id == TypeId::kDouble) return Json(std::get<double>(value));
  if (type.id == TypeId::kFixed || type.id == TypeId::kBinary) return Json(base::ToHex(std::get<std::string>(value)));
  return Json(ValueToText(value, type));
}

Result<Value> ValueFromJson(const Json& json, const Type& type) {
  if (json.is_null()) return Value();
  Value value;
  switch (type.id) {
    case TypeId::kBoolean:
      if (json.is_bool()) value = json.AsBool();
      break;
    case TypeId::kInt:
    case TypeId::kLong:
      if (json.is_int()) value = json.AsInt();
      break;
    case TypeId::kFloat:
      if (json.is_number()) value = static_cast<float>(json.is_int() ? static_cast<double>(json.AsInt()) : json.AsDouble());
      break;
    case TypeId::kDouble:
      if (json.is_number()) value = json.is_int() ? static_cast<double>(json.AsInt()) : json.AsDouble();
      break;
    case TypeId::kDecimal: {
      Int128 unscaled = 0;
      if (DecimalFromText(json.AsString(), type.scale, unscaled)) value = unscaled;
      break;
    }
    case TypeId::kString:
      if (json.is_string()) value = json.AsString();
      break;
    case TypeId::kUuid:
    case TypeId::kFixed:
    case TypeId::kBinary: return BytesFromText(json, type);
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kMap: break;
    default: return TimeFromText(json, type);
  }
  if (!Fits(value, type)) return NoValue(json, type);
  return value;
}

std::string ValueToText(const Value& value, const Type& type) {
  if (IsNull(value)) return "null";
  switch (type.id) {
    case TypeId::kBoolean: return std::get<bool>(value) ? "true" : "false";
    case TypeId::kInt:
    case TypeId::kLong: return std::to_string(std::get<int64_t>(value));
    case TypeId::kFloat: return Json(static_cast<double>(std::get<float>(value))).Dump();
    case TypeId::kDouble: return Json(std::get<double>(value)).Dump();
    case TypeId::kDecimal: return DecimalToText(std::get<Int128>(value), type.scale);
    case TypeId::kDate: return DateToText(std::get<int64_t>(value));
    case TypeId::kTime: return TimestampToText(std::get<int64_t>(value), false).substr(11);
    case TypeId::kTimestamp: return TimestampToText(std::get<int64_t>(value), false);
    case TypeId::kTimestampTz: return TimestampToText(std::get<int64_t>(value), true);
    case TypeId::kUuid: return UuidToText(std::get<std::string>(value));
    case TypeId::kFixed:
    case TypeId::kBinary: return base::ToHex(std::get<std::string>(value));
    default: return std::get<std::string>(value);
  }
}

}  // namespace sluice::iceberg
