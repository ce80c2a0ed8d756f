// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Named integers: an Offset is not a LogPartition, and neither converts to the other by accident.

#include <compare>
#include <cstddef>
#include <functional>

namespace sluice {

template <class Tag, class Rep>
class NamedInt {
 public:
  using Representation = Rep;
  constexpr NamedInt() = default;
  constexpr explicit NamedInt(Rep value) : value_(value) {}
  constexpr Rep get() const { return value_; }
  constexpr auto operator<=>(const NamedInt&) const = default;
  constexpr NamedInt& operator++() { ++value_; return *this; }
  constexpr NamedInt operator+(Rep n) const { return NamedInt(static_cast<Rep>(value_ + n)); }
  constexpr NamedInt operator-(Rep n) const { return NamedInt(static_cast<Rep>(value_ - n)); }
  // How far apart two of them are.
  constexpr Rep operator-(NamedInt other) const { return static_cast<Rep>(value_ - other.value_); }

 private:
  Rep value_ = 0;
};

}  // namespace sluice

template <class Tag, class Rep>
struct std::hash<sluice::NamedInt<Tag, Rep>> {
  size_t operator()(sluice::NamedInt<Tag, Rep> n) const { return std::hash<Rep>()(n.get()); }
};
