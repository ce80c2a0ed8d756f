// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A look at one node of Columns through the eyes of a table field: which layout it has, and its values by position. Nothing
// is copied or owned; the Columns must outlive it. The layouts are those of the Arrow columnar format.

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "base/columns.h"
#include "base/result.h"
#include "iceberg/schema.h"

namespace sluice::iceberg::internal {

enum class Layout : uint8_t {
  kNull,     // null everywhere
  kBits,     // boolean
  kFixed,    // `width` bytes a value
  kBytes32,  // 32-bit offsets and bytes
  kBytes64,  // 64-bit offsets and bytes
  kViews,    // 16-byte views, short ones inline
  kStruct,
  kList32,   // also maps
  kList64,
};

class ArrowColumn {
 public:
  // Null everywhere: a column that is not there.
  ArrowColumn() = default;
  // Refuses (kInvalid) a format that does not hold values of `type`; a narrower number (int for long, float for double, fewer
  // decimal digits of the same scale) is taken.
  static Result<ArrowColumn> Of(const Type& type, const ArrowSchema& schema, const ArrowArray& array);

  Layout layout() const { return layout_; }
  int32_t width() const { return width_; }
  // Added to a logical position it gives the physical one, which all functions below take.
  int64_t offset() const { return offset_; }
  bool may_have_nulls() const { return layout_ == Layout::kNull || validity_ != nullptr; }
  bool IsValid(int64_t at) const {
    if (layout_ == Layout::kNull) return false;
    return validity_ == nullptr || (validity_[at >> 3] >> (at & 7) & 1) != 0;
  }

  // REQUIRES: the layout, and a value that is not null (of a null one the result has no meaning but is safe to take).
  bool Bit(int64_t at) const { return (Bytes8(1)[at >> 3] >> (at & 7) & 1) != 0; }
  template <class T>
  T Fixed(int64_t at) const { T value; std::memcpy(&value, Bytes8(1) + at * static_cast<int64_t>(sizeof(T)), sizeof value); return value; }
  const uint8_t* FixedBytes(int64_t at) const { return Bytes8(1) + at * width_; }
  template <class Offset>
  std::string_view Slice(int64_t at) const {
    auto* offsets = static_cast<const Offset*>(buffers_[1]);
    return {static_cast<const char*>(buffers_[2]) + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])};
  }
  std::string_view View(int64_t at) const {
    constexpr int32_t kInlineMax = 12;
    const uint8_t* view = Bytes8(1) + at * 16;
    int32_t length = Load(view), buffer, start;
    if (length <= kInlineMax) return {reinterpret_cast<const char*>(view) + 4, static_cast<size_t>(length)};
    buffer = Load(view + 8);
    start = Load(view + 12);
    return {static_cast<const char*>(buffers_[2 + buffer]) + start, static_cast<size_t>(length)};
  }
  // The value as bytes, whatever the layout (empty for those without bytes); for code that is not in the path of every value.
  std::string_view AnyBytes(int64_t at) const;
  // Sum of the sizes of these values.
  int64_t BytesOf(std::span<const int64_t> at) const;
  // Where the entries of a list or map begin and end in its child.
  std::pair<int64_t, int64_t> Entries(int64_t at) const {
    if (layout_ == Layout::kList64) return {static_cast<const int64_t*>(buffers_[1])[at], static_cast<const int64_t*>(buffers_[1])[at + 1]};
    return {static_cast<const int32_t*>(buffers_[1])[at], static_cast<const int32_t*>(buffers_[1])[at + 1]};
  }

 private:
  static int32_t Load(const uint8_t* from) { int32_t value; std::memcpy(&value, from, sizeof value); return value; }
  const uint8_t* Bytes8(int i) const { return static_cast<const uint8_t*>(buffers_[i]); }

  Layout layout_ = Layout::kNull;
  int32_t width_ = 0;
  int64_t offset_ = 0;
  const uint8_t* validity_ = nullptr;
  const void* const* buffers_ = nullptr;
};

}  // namespace sluice::iceberg::internal
