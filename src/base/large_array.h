// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// An array that starts as zeros and may be hundreds of megabytes: its pages come when they are touched, large ones where the system has
// them, so that neither making it nor looking something up in it is paid for 4 KiB at a time.

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace sluice::base {

// `bytes` zero bytes, aligned to a page. Null for none. Ends the process when there is no memory, as `new` does here.
char* AllocateZeroed(size_t bytes);
void FreeZeroed(char* memory, size_t bytes);

// Movable. T must be fine as zeros.
template <class T>
  requires std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>
class LargeArray {
 public:
  LargeArray() = default;
  explicit LargeArray(size_t size) : data_(reinterpret_cast<T*>(AllocateZeroed(size * sizeof(T)))), size_(size) {}
  ~LargeArray() { FreeZeroed(reinterpret_cast<char*>(data_), size_ * sizeof(T)); }
  LargeArray(LargeArray&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LargeArray& operator=(LargeArray&& other) noexcept {
    swap(other);
    return *this;
  }
  void swap(LargeArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  // Zeros again, in the memory it has: fresh pages cost a multiple of this, most of all on a virtual machine.
  void Clear() {
    if (size_ > 0) std::memset(static_cast<void*>(data_), 0, size_ * sizeof(T));
  }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sluice::base
