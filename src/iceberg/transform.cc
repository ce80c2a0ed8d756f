// SPDX-License-Identifier: Apache-2.0
#include "iceberg/transform.h"

#include <charconv>
#include <cstdio>

#include "base/time.h"

namespace sluice::iceberg {
namespace {

struct TransformName {
  TransformKind kind;
  std::string_view name;
};

constexpr TransformName kPlainTransforms[] = {
    {TransformKind::kIdentity, "identity"}, {TransformKind::kYear, "year"}, {TransformKind::kMonth, "month"},
    {TransformKind::kDay, "day"},           {TransformKind::kHour, "hour"}, {TransformKind::kVoid, "void"},
};

// "bucket[16]" with `name` = "bucket" gives 16; 0 when it is not of that shape.
int32_t Parameter(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || text.size() < name.size() + 3 || text[name.size()] != '[' || text.back() != ']') return 0;
  int32_t number = 0;
  const char* end = text.data() + text.size() - 1;
  auto [at, error] = std::from_chars(text.data() + name.size() + 1, end, number);
  return error == std::errc() && at == end && number > 0 ? number : 0;
}

bool IsTimestamp(const Type& type) { return type.id == TypeId::kTimestamp || type.id == TypeId::kTimestampTz; }

bool Takes(TransformKind kind, const Type& type) {
  switch (kind) {
    case TransformKind::kIdentity: return type.is_primitive();
    case TransformKind::kVoid: return true;
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kDay: return type.id == TypeId::kDate || IsTimestamp(type);
    case TransformKind::kHour: return IsTimestamp(type);
    case TransformKind::kBucket:
      return type.is_primitive() && type.id != TypeId::kBoolean && type.id != TypeId::kFloat && type.id != TypeId::kDouble;
    case TransformKind::kTruncate:
      return type.id == TypeId::kInt || type.id == TypeId::kLong || type.id == TypeId::kDecimal || type.id == TypeId::kString ||
             type.id == TypeId::kBinary;
    case TransformKind::kUnknown: return false;
  }
  return false;
}

int64_t MonthsSinceEpoch(int64_t days) {
  int64_t year = 0;
  unsigned month = 0, day = 0;
  base::CivilFromDays(days, year, month, day);
  return (year - 1970) * 12 + static_cast<int64_t>(month) - 1;
}

int64_t TimeUnits(TransformKind kind, int64_t value, const Type& source) {
  if (kind == TransformKind::kHour) return base::FloorDiv(value, kMicrosPerHour);
  int64_t days = source.id == TypeId::kDate ? value : base::FloorDiv(value, kMicrosPerDay);
  if (kind == TransformKind::kDay) return days;
  int64_t months = MonthsSinceEpoch(days);
  return kind == TransformKind::kMonth ? months : base::FloorDiv(months, 12);
}

Value TruncateValue(const Value& value, const Type& source, int32_t width) {
  if (auto* decimal = std::get_if<Int128>(&value))
    return Value(static_cast<Int128>(static_cast<Uint128>(*decimal) - static_cast<Uint128>(base::FloorMod(*decimal, Int128{width}))));
  if (auto* number = std::get_if<int64_t>(&value)) {
    // The lowest numbers wrap around, as the spec's formula does in the type's own width.
    auto rounded = static_cast<uint64_t>(*number) - static_cast<uint64_t>(base::FloorMod(*number, int64_t{width}));
    return Value(source.id == TypeId::kInt ? int64_t{static_cast<int32_t>(rounded)} : static_cast<int64_t>(rounded));
  }
  const auto& text = std::get<std::string>(value);
  auto size = static_cast<size_t>(width);
  if (source.id == TypeId::kBinary) return Value(TruncateBinaryLower(text, size));
  // Text that is no UTF-8 never gets here through a valid file; it is cut by bytes rather than lost.
  return Value(TruncateStringLower(text, size).value_or(text.substr(0, size)));
}

}  // namespace

Transform ParseTransform(std::string_view text) {
  for (const TransformName& plain : kPlainTransforms) {
    if (plain.name == text) return {plain.kind};
  }
  if (int32_t n = Parameter(text, "bucket"); n > 0) return {TransformKind::kBucket, n};
  if (int32_t n = Parameter(text, "truncate"); n > 0) return {TransformKind::kTruncate, n};
  return {TransformKind::kUnknown, 0, std::string(text)};
}

std::string TransformToText(const Transform& transform) {
  if (transform.kind == TransformKind::kBucket) return "bucket[" + std::to_string(transform.parameter) + "]";
  if (transform.kind == TransformKind::kTruncate) return "truncate[" + std::to_string(transform.parameter) + "]";
  for (const TransformName& plain : kPlainTransforms) {
    if (plain.kind == transform.kind) return std::string(plain.name);
  }
  return transform.text;
}

Result<void> CheckTransform(const Transform& transform, const Type& source) {
  if (transform.kind == TransformKind::kUnknown)
    return Error{ErrorCode::kInvalid, "unknown partition transform \"" + transform.text + "\"", "write with the engine that made this partition spec"};
  if (!Takes(transform.kind, source))
    return Error{ErrorCode::kInvalid, "transform " + TransformToText(transform) + " does not take a " + source.ToString()};
  return {};
}

Type TransformResult(const Transform& transform, const Type& source) {
  switch (transform.kind) {
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kHour:
    case TransformKind::kBucket: return TypeId::kInt;
    case TransformKind::kDay: return TypeId::kDate;
    case TransformKind::kUnknown: return TypeId::kString;
    default: return source;
  }
}

Value ApplyTransform(const Transform& transform, const Value& value, const Type& source) {
  if (IsNull(value) || transform.kind == TransformKind::kVoid) return Value();
  switch (transform.kind) {
    case TransformKind::kIdentity: return value;
    case TransformKind::kBucket: return Value(int64_t{(HashValue(value, source) & INT32_MAX) % transform.parameter});
    case TransformKind::kTruncate: return TruncateValue(value, source, transform.parameter);
    default: break;
  }
  CHECK(transform.kind != TransformKind::kUnknown, "an unknown transform is applied");
  return Value(TimeUnits(transform.kind, std::get<int64_t>(value), source));
}

bool KeepsOrder(const Transform& transform) {
  return transform.kind != TransformKind::kBucket && transform.kind != TransformKind::kVoid && transform.kind != TransformKind::kUnknown;
}

std::string PartitionValueToText(const Transform& transform, const Value& value, const Type& result) {
  auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr) return ValueToText(value, result);
  char text[32];
  switch (transform.kind) {
    case TransformKind::kHour:
      std::snprintf(text, sizeof text, "-%02d", static_cast<int>(base::FloorMod<int64_t>(*number, 24)));
      return ValueToText(Value(base::FloorDiv(*number, 24)), TypeId::kDate) + text;
    case TransformKind::kMonth: {
      int64_t year = base::FloorDiv(*number, 12);
      std::snprintf(text, sizeof text, "%04lld-%02d", static_cast<long long>(1970 + year), static_cast<int>(*number - year * 12 + 1));
      return text;
    }
    case TransformKind::kYear: return std::to_string(1970 + *number);
    default: return ValueToText(value, result);
  }
}

}  // namespace sluice::iceberg
