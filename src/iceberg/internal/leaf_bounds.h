// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The smallest and largest value of a column, gathered run by run while it is written. Parquet's own statistics cannot serve:
// they leave out long strings and say nothing of NaN.

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "iceberg/value.h"

namespace sluice::iceberg::internal {

// bool, int32_t, int64_t, Int128.
template <class T>
class NumberBounds {
 public:
  void Add(std::span<const T> values) {
    if (values.empty()) return;
    T low = any_ ? lower_ : values[0], high = any_ ? upper_ : values[0];
    for (T value : values) {
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    lower_ = low;
    upper_ = high;
    any_ = true;
  }
  bool any() const { return any_; }
  T lower() const { return lower_; }
  T upper() const { return upper_; }

 private:
  bool any_ = false;
  T lower_{}, upper_{};
};

// float, double. NaN is counted and left out; -0.0 is below +0.0.
template <class T>
class FloatBounds {
 public:
  void Add(std::span<const T> values) {
    for (T value : values) {
      if (std::isnan(value)) {
        nan_count_++;
        continue;
      }
      if (!any_ || Less(value, lower_)) lower_ = value;
      if (!any_ || Less(upper_, value)) upper_ = value;
      any_ = true;
    }
  }
  bool any() const { return any_; }
  T lower() const { return lower_; }
  T upper() const { return upper_; }
  int64_t nan_count() const { return nan_count_; }

 private:
  static bool Less(T a, T b) { return a < b || (a == b && std::signbit(a) && !std::signbit(b)); }
  bool any_ = false;
  T lower_{}, upper_{};
  int64_t nan_count_ = 0;
};

// Strings and bytes, in byte order. Keeps at most about `bytes_max` of a value, cut between UTF-8 characters: more than
// the bound that will be made of it needs, so the cut cannot be seen.
class BytesBounds {
 public:
  explicit BytesBounds(size_t bytes_max) : bytes_max_(bytes_max) {}

  // `view_of(i)` is value i of `n`.
  template <class ViewOf>
  void Add(size_t n, ViewOf view_of) {
    if (n == 0) return;
    std::string_view low = any_ ? std::string_view(lower_) : view_of(0), high = any_ ? std::string_view(upper_) : view_of(0);
    uint64_t low_prefix = Prefix(low), high_prefix = Prefix(high);
    bool moved = !any_;
    for (size_t i = 0; i < n; i++) {
      std::string_view value = view_of(i);
      uint64_t prefix = Prefix(value);
      if (prefix < low_prefix || (prefix == low_prefix && value < low)) {
        low = value;
        low_prefix = prefix;
        moved = true;
      }
      if (prefix > high_prefix || (prefix == high_prefix && value > high)) {
        high = value;
        high_prefix = prefix;
        moved = true;
      }
    }
    if (moved) Keep(low, high);
  }
  bool any() const { return any_; }
  const std::string& lower() const { return lower_; }
  const std::string& upper() const { return upper_; }

 private:
  // Eight bytes that compare as the string does; most comparisons end here.
  static uint64_t Prefix(std::string_view text) {
    uint64_t prefix = 0;
    if (text.size() >= sizeof prefix) return base::GetBig<uint64_t>(text.data());
    std::memcpy(&prefix, text.data(), text.size());
    return base::SwapBytes(prefix);
  }
  void Keep(std::string_view low, std::string_view high) {
    std::string kept_low(Cut(low)), kept_high(Cut(high));  // low or high may point into our own strings
    lower_ = std::move(kept_low);
    upper_ = std::move(kept_high);
    any_ = true;
  }
  std::string_view Cut(std::string_view value) const {
    if (value.size() <= bytes_max_) return value;
    size_t end = bytes_max_;
    while (end > bytes_max_ - 3 && (static_cast<uint8_t>(value[end]) & 0xc0) == 0x80) end--;
    return value.substr(0, end);
  }

  size_t bytes_max_;
  bool any_ = false;
  std::string lower_, upper_;
};

}  // namespace sluice::iceberg::internal
