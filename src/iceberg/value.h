// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Single values: partition values, bounds, filter operands. Each stands in memory as the widest form of its kind and is
// written as bytes (appendix D, "Binary single-value serialization") or JSON.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "iceberg/schema.h"

namespace sluice::iceberg {

// The unscaled value of a decimal; the scale stands in its Type.
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

// A value of a primitive type, or null:
//   boolean -> bool; int, long, date, time, timestamp(tz) -> int64_t; float -> float; double -> double;
//   decimal -> Int128; string, uuid (16 bytes), fixed, binary -> std::string
using Value = std::variant<std::monostate, bool, int64_t, float, double, Int128, std::string>;

inline bool IsNull(const Value& value) { return std::holds_alternative<std::monostate>(value); }

// One value per field of a partition spec, in its order.
using PartitionValue = std::vector<Value>;

// For maps of partitions of one spec. The order of Value itself is none: it knows no place for NaN.
struct PartitionOrder {
  bool operator()(const PartitionValue& a, const PartitionValue& b) const;
};

// Whether `value` (not null) is of the form that `type` has in memory.
bool Fits(const Value& value, const Type& type);

// The order that bounds use: null first, then by value; -0.0 before +0.0, NaN last; strings by bytes (which is the order of
// code points). REQUIRES: both null or of one form.
std::strong_ordering Compare(const Value& a, const Value& b);

// REQUIRES: Fits(value, type).
std::string ValueToBytes(const Value& value, const Type& type);
// Accepts the bytes of a narrower type from before a promotion: 4 bytes for a long, 4 for a double. kCorruption: wrong length.
Result<Value> ValueFromBytes(std::string_view bytes, const Type& type);

// Appendix D, "JSON single-value serialization". Null in, null out.
Json ValueToJson(const Value& value, const Type& type);
Result<Value> ValueFromJson(const Json& json, const Type& type);

// For people and for partition paths: "null", "2026-01-15", "2026-01-15T10:00:00+00:00", hexadecimal for bytes.
std::string ValueToText(const Value& value, const Type& type);

// The shortest upper and lower bounds for metrics (truncate(N)). A lower bound is a prefix of at most `n` code points (or
// bytes); an upper bound is such a prefix with its last incrementable unit raised by one. Nothing: there is no such bound.
// Text that is no valid UTF-8 has no bounds.
std::optional<std::string> TruncateStringLower(std::string_view text, size_t code_points_max);
std::optional<std::string> TruncateStringUpper(std::string_view text, size_t code_points_max);
std::string TruncateBinaryLower(std::string_view bytes, size_t bytes_max);
std::optional<std::string> TruncateBinaryUpper(std::string_view bytes, size_t bytes_max);

}  // namespace sluice::iceberg
