// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/arrow_column.h"

#include <charconv>
#include <optional>

namespace sluice::iceberg::internal {

namespace {

struct Shape {
  Layout layout;
  int32_t width = 0;
};

// "4,10" -> the number before the comma, which is cut off with it.
std::optional<int32_t> NextNumber(std::string_view& text) {
  int32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.starts_with(',')) text.remove_prefix(1);
  return number;
}

// "d:precision,scale[,bits]"
std::optional<Shape> DecimalShape(const Type& type, std::string_view format) {
  constexpr int32_t kDecimal128Bits = 128;
  if (!format.starts_with("d:")) return std::nullopt;
  format.remove_prefix(2);
  auto precision = NextNumber(format), scale = NextNumber(format);
  auto bits = format.empty() ? std::optional<int32_t>(kDecimal128Bits) : NextNumber(format);
  if (!precision || !scale || bits != kDecimal128Bits) return std::nullopt;
  if (*precision > type.precision || *scale != type.scale) return std::nullopt;
  return Shape{Layout::kFixed, kDecimal128Bits / 8};
}

std::optional<Shape> BytesShape(std::string_view format, char small, char large) {
  if (format == std::string_view(&small, 1)) return Shape{Layout::kBytes32};
  if (format == std::string_view(&large, 1)) return Shape{Layout::kBytes64};
  if (format.size() == 2 && format[0] == 'v' && format[1] == small) return Shape{Layout::kViews};
  return std::nullopt;
}

std::optional<Shape> FixedShape(std::string_view format, int32_t bytes) {
  if (format == "w:" + std::to_string(bytes)) return Shape{Layout::kFixed, bytes};
  return std::nullopt;
}

std::optional<Shape> ShapeOf(const Type& type, std::string_view format) {
  auto fixed = [&](std::string_view wanted, int32_t width) { return format == wanted ? std::optional<Shape>(Shape{Layout::kFixed, width}) : std::nullopt; };
  auto of = [&](std::string_view wanted, Layout layout) { return format == wanted ? std::optional<Shape>(Shape{layout}) : std::nullopt; };
  switch (type.id) {
    case TypeId::kBoolean: return of("b", Layout::kBits);
    case TypeId::kInt: return fixed("i", 4);
    case TypeId::kLong: return format == "i" ? fixed("i", 4) : fixed("l", 8);
    case TypeId::kFloat: return fixed("f", 4);
    case TypeId::kDouble: return format == "f" ? fixed("f", 4) : fixed("g", 8);
    case TypeId::kDecimal: return DecimalShape(type, format);
    case TypeId::kDate: return fixed("tdD", 4);
    case TypeId::kTime: return fixed("ttu", 8);
    case TypeId::kTimestamp: return fixed("tsu:", 8);
    case TypeId::kTimestampTz: return format.size() > 4 && format.starts_with("tsu:") ? std::optional<Shape>(Shape{Layout::kFixed, 8}) : std::nullopt;
    case TypeId::kString: return BytesShape(format, 'u', 'U');
    case TypeId::kUuid: return FixedShape(format, 16);
    case TypeId::kFixed: return FixedShape(format, type.length);
    case TypeId::kBinary: return BytesShape(format, 'z', 'Z');
    case TypeId::kStruct: return of("+s", Layout::kStruct);
    case TypeId::kList: return format == "+L" ? of("+L", Layout::kList64) : of("+l", Layout::kList32);
    case TypeId::kMap: return of("+m", Layout::kList32);
  }
  return std::nullopt;
}

}  // namespace

Result<ArrowColumn> ArrowColumn::Of(const Type& type, const ArrowSchema& schema, const ArrowArray& array) {
  std::string_view format = schema.format;
  ArrowColumn column;
  if (format == "n") return column;
  auto shape = schema.dictionary == nullptr ? ShapeOf(type, format) : std::nullopt;
  if (!shape.has_value()) {
    return Error{ErrorCode::kInvalid, "a column of Arrow format \"" + std::string(format) + "\" does not hold values of type " + type.ToString() +
                                          (schema.dictionary == nullptr ? "" : " (dictionary-encoded)")};
  }
  column.layout_ = shape->layout;
  column.width_ = shape->width;
  column.offset_ = array.offset;
  column.buffers_ = array.buffers;
  if (array.null_count != 0) column.validity_ = static_cast<const uint8_t*>(array.buffers[0]);
  return column;
}

std::string_view ArrowColumn::AnyBytes(int64_t at) const {
  switch (layout_) {
    case Layout::kFixed: return {reinterpret_cast<const char*>(FixedBytes(at)), static_cast<size_t>(width_)};
    case Layout::kBytes32: return Slice<int32_t>(at);
    case Layout::kBytes64: return Slice<int64_t>(at);
    case Layout::kViews: return View(at);
    default: return {};
  }
}

int64_t ArrowColumn::BytesOf(std::span<const int64_t> at) const {
  int64_t bytes = 0;
  if (layout_ == Layout::kViews) {
    for (int64_t i : at) bytes += Load(Bytes8(1) + i * 16);
  } else if (layout_ == Layout::kBits) {
    bytes = static_cast<int64_t>(at.size());
  } else {
    for (int64_t i : at) bytes += static_cast<int64_t>(AnyBytes(i).size());
  }
  return bytes;
}

}  // namespace sluice::iceberg::internal
