// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/leaf_writer.h"

#include <algorithm>

#include "iceberg/internal/leaf_bounds.h"
#include "iceberg/internal/parquet_schema.h"

namespace sluice::iceberg::internal {

namespace {

namespace pq = ::parquet;
using Positions = std::span<const int64_t>;

// Memory for one run of values; grows to the longest run.
template <class T>
class Scratch {
 public:
  T* Reserve(size_t n) {
    if (n > capacity_) {
      capacity_ = std::max(n, kRunLevels);
      values_ = std::make_unique<T[]>(capacity_);
    }
    return values_.get();
  }

 private:
  size_t capacity_ = 0;
  std::unique_ptr<T[]> values_;
};

// ---- kinds: how values of one physical type are taken from a column, and which bounds they have ----
// Gather fills `out` and returns the bytes that the encoder will copy for values of variable length.

struct BoolKind {
  using DType = pq::BooleanType;
  NumberBounds<bool> bounds;
  BoolKind(const Type&, size_t) {}
  size_t Gather(const ArrowColumn& from, Positions at, bool* out) {
    for (size_t i = 0; i < at.size(); i++) out[i] = from.Bit(at[i]);
    return 0;
  }
  void AddBounds(const bool* values, size_t n) { bounds.Add({values, n}); }
  static Value ToValue(bool value, const Type&) { return value; }
};

template <class T, class In>
void GatherFixed(const ArrowColumn& from, Positions at, T* out) {
  for (size_t i = 0; i < at.size(); i++) out[i] = static_cast<T>(from.Fixed<In>(at[i]));
}

// int, long, date, times, and decimals of up to 18 digits.
template <class D>
struct IntegerKind {
  using DType = D;
  using T = typename D::c_type;
  NumberBounds<T> bounds;
  IntegerKind(const Type&, size_t) {}
  size_t Gather(const ArrowColumn& from, Positions at, T* out) {
    if (from.width() == 4) {
      GatherFixed<T, int32_t>(from, at, out);
    } else if (from.width() == 8) {
      GatherFixed<T, int64_t>(from, at, out);
    } else {
      GatherFixed<T, Int128>(from, at, out);
    }
    return 0;
  }
  void AddBounds(const T* values, size_t n) { bounds.Add({values, n}); }
  static Value ToValue(T value, const Type& type) {
    if (type.id == TypeId::kDecimal) return Int128{value};
    return int64_t{value};
  }
};

template <class D>
struct FloatKind {
  using DType = D;
  using T = typename D::c_type;
  FloatBounds<T> bounds;
  FloatKind(const Type&, size_t) {}
  size_t Gather(const ArrowColumn& from, Positions at, T* out) {
    if (from.width() == 4) {
      GatherFixed<T, float>(from, at, out);
    } else {
      GatherFixed<T, double>(from, at, out);
    }
    return 0;
  }
  void AddBounds(const T* values, size_t n) { bounds.Add({values, n}); }
  static Value ToValue(T value, const Type&) { return value; }
};

struct BytesKind {
  using DType = pq::ByteArrayType;
  BytesBounds bounds;
  BytesKind(const Type&, size_t bytes_max) : bounds(bytes_max) {}
  template <class Take>
  static size_t GatherWith(Positions at, pq::ByteArray* out, Take take) {
    size_t bytes = 0;
    for (size_t i = 0; i < at.size(); i++) {
      out[i] = pq::ByteArray(take(at[i]));
      bytes += out[i].len;
    }
    return bytes;
  }
  size_t Gather(const ArrowColumn& from, Positions at, pq::ByteArray* out) {
    switch (from.layout()) {
      case Layout::kViews: return GatherWith(at, out, [&](int64_t i) { return from.View(i); });
      case Layout::kBytes64: return GatherWith(at, out, [&](int64_t i) { return from.Slice<int64_t>(i); });
      default: return GatherWith(at, out, [&](int64_t i) { return from.Slice<int32_t>(i); });
    }
  }
  void AddBounds(const pq::ByteArray* values, size_t n) {
    bounds.Add(n, [&](size_t i) { return std::string_view(reinterpret_cast<const char*>(values[i].ptr), values[i].len); });
  }
  static Value ToValue(const std::string& value, const Type&) { return value; }
};

// uuid, fixed.
struct FixedKind {
  using DType = pq::FLBAType;
  BytesBounds bounds;
  int32_t width;
  // Bounds are kept whole: a value that was cut would be none of the type.
  FixedKind(const Type& type, size_t) : bounds(SIZE_MAX), width(type.id == TypeId::kUuid ? kUuidBytes : type.length) {}
  size_t Gather(const ArrowColumn& from, Positions at, pq::FixedLenByteArray* out) {
    for (size_t i = 0; i < at.size(); i++) out[i].ptr = from.FixedBytes(at[i]);
    return at.size() * static_cast<size_t>(width);
  }
  void AddBounds(const pq::FixedLenByteArray* values, size_t n) {
    bounds.Add(n, [&](size_t i) { return std::string_view(reinterpret_cast<const char*>(values[i].ptr), static_cast<size_t>(width)); });
  }
  static Value ToValue(const std::string& value, const Type&) { return value; }
};

// Decimals of 19 to 38 digits: big-endian, in as few bytes as the precision needs.
struct WideDecimalKind {
  using DType = pq::FLBAType;
  NumberBounds<Int128> bounds;
  int32_t width;
  Scratch<Int128> numbers;
  Scratch<uint8_t> bytes;
  WideDecimalKind(const Type& type, size_t) : width(DecimalBytes(type.precision)) {}
  size_t Gather(const ArrowColumn& from, Positions at, pq::FixedLenByteArray* out) {
    Int128* number = numbers.Reserve(at.size());
    uint8_t* to = bytes.Reserve(at.size() * static_cast<size_t>(width));
    GatherFixed<Int128, Int128>(from, at, number);
    for (size_t i = 0; i < at.size(); i++) {
      out[i].ptr = to;
      for (int32_t shift = (width - 1) * 8; shift >= 0; shift -= 8) *to++ = static_cast<uint8_t>(number[i] >> shift);
    }
    return 0;
  }
  void AddBounds(const pq::FixedLenByteArray*, size_t n) { bounds.Add({numbers.Reserve(n), n}); }
  static Value ToValue(Int128 value, const Type&) { return value; }
};

// ---- the writer ----

// A bound as bytes: cut to the mode's length, upwards for an upper one. Nothing: no such bound.
std::optional<std::string> BoundBytes(const Value& value, const Type& type, MetricsMode mode, bool upper) {
  std::string bytes = ValueToBytes(value, type);
  if (mode.kind == MetricsMode::Kind::kFull) return bytes;
  auto length = static_cast<size_t>(mode.length);
  if (type.id == TypeId::kString) return upper ? TruncateStringUpper(bytes, length) : TruncateStringLower(bytes, length);
  if (type.id != TypeId::kBinary && type.id != TypeId::kFixed) return bytes;
  return upper ? TruncateBinaryUpper(bytes, length) : TruncateBinaryLower(bytes, length);
}

// What BytesBounds must keep of a value: at most four bytes a code point, one more to tell that it was cut.
size_t BoundBytesKept(MetricsMode mode) {
  constexpr size_t kCodePointBytesMax = 4;
  return mode.kind == MetricsMode::Kind::kFull ? SIZE_MAX : (static_cast<size_t>(mode.length) + 2) * kCodePointBytesMax;
}

template <class Kind>
class TypedLeafWriter final : public LeafWriter {
 public:
  TypedLeafWriter(const NestedField& field, bool repeated, MetricsMode mode)
      : field_(field),
        mode_(mode),
        has_bounds_(!repeated && (mode.kind == MetricsMode::Kind::kTruncate || mode.kind == MetricsMode::Kind::kFull)),
        kind_(field.type, BoundBytesKept(mode)) {}

  Result<void> Write(LeafPath& path, LeafPath::Rows rows, pq::ColumnWriter& to) override {
    auto& typed = static_cast<pq::TypedColumnWriter<typename Kind::DType>&>(to);
    auto rows_max = static_cast<int64_t>(kRunLevels);
    for (int64_t from = 0; from < rows.count;) {
      ASSIGN_OR_RETURN(LevelRun run, path.Fill(rows.Part(from, std::min(rows_max, rows.count - from))));
      auto* values = scratch_.Reserve(run.values.size());
      size_t bytes = kind_.Gather(path.leaf(), run.values, values);
      if (bytes > kRunBytesMax && run.rows > 1) {
        rows_max = static_cast<int64_t>(run.rows / 2);
        continue;
      }
      typed.WriteBatch(static_cast<int64_t>(run.levels), run.definition, run.repetition, values);
      Count(run, values);
      from += static_cast<int64_t>(run.rows);
    }
    return {};
  }

  void AddMetrics(ColumnMetrics& to) const override {
    if (mode_.kind == MetricsMode::Kind::kNone) return;
    to.value_counts[field_.id] = levels_;
    to.null_value_counts[field_.id] = levels_ - values_;
    if constexpr (kCountsNan) to.nan_value_counts[field_.id] = kind_.bounds.nan_count();
    if (!has_bounds_ || !kind_.bounds.any()) return;
    auto lower = BoundBytes(Kind::ToValue(kind_.bounds.lower(), field_.type), field_.type, mode_, false);
    auto upper = BoundBytes(Kind::ToValue(kind_.bounds.upper(), field_.type), field_.type, mode_, true);
    if (lower.has_value()) to.lower_bounds[field_.id] = *lower;
    if (upper.has_value()) to.upper_bounds[field_.id] = *upper;
  }

 private:
  static constexpr bool kCountsNan = requires(const Kind& kind) { kind.bounds.nan_count(); };

  void Count(const LevelRun& run, const typename Kind::DType::c_type* values) {
    levels_ += static_cast<int64_t>(run.levels);
    values_ += static_cast<int64_t>(run.values.size());
    if (has_bounds_ || kCountsNan) kind_.AddBounds(values, run.values.size());
  }

  const NestedField& field_;
  MetricsMode mode_;
  bool has_bounds_;
  Kind kind_;
  Scratch<typename Kind::DType::c_type> scratch_;
  int64_t levels_ = 0, values_ = 0;
};

template <class Kind>
std::unique_ptr<LeafWriter> MakeTyped(const NestedField& field, bool repeated, MetricsMode mode) {
  return std::make_unique<TypedLeafWriter<Kind>>(field, repeated, mode);
}

}  // namespace

std::unique_ptr<LeafWriter> LeafWriter::Make(const NestedField& field, bool repeated, MetricsMode mode) {
  switch (field.type.id) {
    case TypeId::kBoolean: return MakeTyped<BoolKind>(field, repeated, mode);
    case TypeId::kInt:
    case TypeId::kDate: return MakeTyped<IntegerKind<pq::Int32Type>>(field, repeated, mode);
    case TypeId::kLong:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: return MakeTyped<IntegerKind<pq::Int64Type>>(field, repeated, mode);
    case TypeId::kFloat: return MakeTyped<FloatKind<pq::FloatType>>(field, repeated, mode);
    case TypeId::kDouble: return MakeTyped<FloatKind<pq::DoubleType>>(field, repeated, mode);
    case TypeId::kString:
    case TypeId::kBinary: return MakeTyped<BytesKind>(field, repeated, mode);
    case TypeId::kUuid:
    case TypeId::kFixed: return MakeTyped<FixedKind>(field, repeated, mode);
    case TypeId::kDecimal: break;
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kMap: CHECK(false, "a nested type is no leaf");
  }
  if (field.type.precision <= kDecimalInt32DigitsMax) return MakeTyped<IntegerKind<pq::Int32Type>>(field, repeated, mode);
  if (field.type.precision <= kDecimalInt64DigitsMax) return MakeTyped<IntegerKind<pq::Int64Type>>(field, repeated, mode);
  return MakeTyped<WideDecimalKind>(field, repeated, mode);
}

}  // namespace sluice::iceberg::internal
