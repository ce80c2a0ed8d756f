// SPDX-License-Identifier: Apache-2.0
#include "front/http/body_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace sluice::front::http {

BodyBuffer& BodyBuffer::operator=(BodyBuffer&& other) noexcept {
  if (this == &other) return *this;
  Release();
  pool_ = std::exchange(other.pool_, nullptr);
  bytes_ = std::move(other.bytes_);
  capacity_ = std::exchange(other.capacity_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

bool BodyBuffer::Grew(size_t n) {
  CHECK(n <= room(), "more bytes than there is room for");
  size_ += n;
  return pool_->in_flight_.fetch_add(n, std::memory_order_relaxed) + n <= pool_->bytes_in_flight_max_;
}

void BodyBuffer::Reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  BodyBuffer larger = pool_->Take(capacity);
  if (size_ > 0) std::memcpy(larger.data(), data(), size_);
  larger.Grew(size_);
  *this = std::move(larger);
}

void BodyBuffer::Seal() {
  if (bytes_) std::memset(end(), 0, kBodyPadding);
}

void BodyBuffer::Release() {
  if (pool_ == nullptr) return;
  pool_->in_flight_.fetch_sub(size_, std::memory_order_relaxed);
  pool_->Give(std::move(bytes_), capacity_);
  pool_ = nullptr;
  capacity_ = size_ = 0;
}

BodyBuffer BodyPool::Take(size_t capacity) {
  BodyBuffer buffer;
  buffer.pool_ = this;
  buffer.capacity_ = capacity;
  for (size_t i = 0; i < kClasses; ++i) {
    if (capacity > kClassBytes[i]) continue;
    buffer.capacity_ = kClassBytes[i];
    std::lock_guard lock(mutex_);
    if (free_[i].empty()) break;
    buffer.bytes_ = std::move(free_[i].back());
    free_[i].pop_back();
    return buffer;
  }
  buffer.bytes_ = std::make_unique_for_overwrite<char[]>(buffer.capacity_ + kBodyPadding);
  return buffer;
}

void BodyPool::Give(std::unique_ptr<char[]> bytes, size_t capacity) {
  for (size_t i = 0; i < kClasses; ++i) {
    if (capacity != kClassBytes[i]) continue;
    std::lock_guard lock(mutex_);
    if (free_[i].size() < kClassKeptMax[i]) free_[i].push_back(std::move(bytes));
    return;
  }
}

}  // namespace sluice::front::http
