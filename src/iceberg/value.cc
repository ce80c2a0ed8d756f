// SPDX-License-Identifier: Apache-2.0
#include "iceberg/value.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/bytes.h"

namespace sluice::iceberg {
namespace {

constexpr size_t kUuidBytes = 16;
constexpr size_t kDecimalBytesMax = 16;

template <class Float>
std::strong_ordering CompareFloat(Float a, Float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  return std::strong_order(a, b);
}

// The shortest two's complement, most significant byte first.
std::string DecimalToBytes(Int128 value) {
  std::string bytes;
  for (int shift = 120; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  size_t skip = 0;
  for (; skip + 1 < bytes.size(); skip++) {
    bool next_negative = (bytes[skip + 1] & 0x80) != 0;
    if (bytes[skip] != static_cast<char>(next_negative ? 0xFF : 0x00)) break;
  }
  return bytes.substr(skip);
}

Int128 DecimalFromBytes(std::string_view bytes) {
  Int128 value = (bytes[0] & 0x80) != 0 ? -1 : 0;
  for (char byte : bytes) value = static_cast<Int128>(static_cast<Uint128>(value) << 8 | static_cast<uint8_t>(byte));
  return value;
}

Error WrongLength(std::string_view bytes, const Type& type) {
  return Error{ErrorCode::kCorruption, "a value of type " + type.ToString() + " has " + std::to_string(bytes.size()) + " bytes"};
}

Result<Value> IntegerFromBytes(std::string_view bytes, const Type& type) {
  bool is_wide = type.id != TypeId::kInt && type.id != TypeId::kDate;
  if (is_wide && bytes.size() == 8) return Value(base::GetLittle<int64_t>(bytes.data()));
  // A long that was an int when the file was written.
  if ((!is_wide || type.id == TypeId::kLong) && bytes.size() == 4) return Value(int64_t{base::GetLittle<int32_t>(bytes.data())});
  return WrongLength(bytes, type);
}

Result<Value> FloatFromBytes(std::string_view bytes, const Type& type) {
  if (type.id == TypeId::kDouble && bytes.size() == 8) return Value(std::bit_cast<double>(base::GetLittle<int64_t>(bytes.data())));
  if (bytes.size() != 4) return WrongLength(bytes, type);
  float value = std::bit_cast<float>(base::GetLittle<int32_t>(bytes.data()));
  return type.id == TypeId::kDouble ? Value(static_cast<double>(value)) : Value(value);
}

}  // namespace

bool Fits(const Value& value, const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean: return std::holds_alternative<bool>(value);
    case TypeId::kInt:
    case TypeId::kDate: {
      auto* v = std::get_if<int64_t>(&value);
      return v != nullptr && *v >= INT32_MIN && *v <= INT32_MAX;
    }
    case TypeId::kLong:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: return std::holds_alternative<int64_t>(value);
    case TypeId::kFloat: return std::holds_alternative<float>(value);
    case TypeId::kDouble: return std::holds_alternative<double>(value);
    case TypeId::kDecimal: return std::holds_alternative<Int128>(value);
    case TypeId::kString:
    case TypeId::kBinary: return std::holds_alternative<std::string>(value);
    case TypeId::kUuid:
    case TypeId::kFixed: {
      auto* v = std::get_if<std::string>(&value);
      return v != nullptr && v->size() == (type.id == TypeId::kUuid ? kUuidBytes : static_cast<size_t>(type.length));
    }
    default: return false;
  }
}

std::strong_ordering Compare(const Value& a, const Value& b) {
  if (IsNull(a) || IsNull(b)) return IsNull(b) <=> IsNull(a);
  CHECK(a.index() == b.index(), "values of different forms are compared");
  if (auto* v = std::get_if<bool>(&a)) return *v <=> std::get<bool>(b);
  if (auto* v = std::get_if<int64_t>(&a)) return *v <=> std::get<int64_t>(b);
  if (auto* v = std::get_if<float>(&a)) return CompareFloat(*v, std::get<float>(b));
  if (auto* v = std::get_if<double>(&a)) return CompareFloat(*v, std::get<double>(b));
  if (auto* v = std::get_if<Int128>(&a)) return *v <=> std::get<Int128>(b);
  return std::get<std::string>(a) <=> std::get<std::string>(b);
}

bool PartitionOrder::operator()(const PartitionValue& a, const PartitionValue& b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const Value& x, const Value& y) { return Compare(x, y) < 0; });
}

std::string ValueToBytes(const Value& value, const Type& type) {
  CHECK(Fits(value, type), "a value is written as another type");
  std::string bytes;
  switch (type.id) {
    case TypeId::kBoolean: return std::string(1, std::get<bool>(value) ? '\1' : '\0');
    case TypeId::kInt:
    case TypeId::kDate: base::AppendLittle(bytes, static_cast<int32_t>(std::get<int64_t>(value))); break;
    case TypeId::kFloat: base::AppendLittle(bytes, std::bit_cast<int32_t>(std::get<float>(value))); break;
    case TypeId::kDouble: base::AppendLittle(bytes, std::bit_cast<int64_t>(std::get<double>(value))); break;
    case TypeId::kDecimal: return DecimalToBytes(std::get<Int128>(value));
    case TypeId::kString:
    case TypeId::kUuid:
    case TypeId::kFixed:
    case TypeId::kBinary: return std::get<std::string>(value);
    default: base::AppendLittle(bytes, std::get<int64_t>(value)); break;
  }
  return bytes;
}

Result<Value> ValueFromBytes(std::string_view bytes, const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      if (bytes.size() != 1) return WrongLength(bytes, type);
      return Value(bytes[0] != '\0');
    case TypeId::kFloat:
    case TypeId::kDouble: return FloatFromBytes(bytes, type);
    case TypeId::kDecimal:
      if (bytes.empty() || bytes.size() > kDecimalBytesMax) return WrongLength(bytes, type);
      return Value(DecimalFromBytes(bytes));
    case TypeId::kUuid:
      if (bytes.size() != kUuidBytes) return WrongLength(bytes, type);
      return Value(std::string(bytes));
    case TypeId::kFixed:
      if (bytes.size() != static_cast<size_t>(type.length)) return WrongLength(bytes, type);
      return Value(std::string(bytes));
    case TypeId::kString:
    case TypeId::kBinary: return Value(std::string(bytes));
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kMap: return Error{ErrorCode::kInvalid, "a " + type.ToString() + " is no single value"};
    default: return IntegerFromBytes(bytes, type);
  }
}

}  // namespace sluice::iceberg
