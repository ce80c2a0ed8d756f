// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Where request bodies are received: padded buffers out of a last-in, first-out pool, so that the next body lands in memory
// that is still in the caches.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "front/http/limits.h"

namespace sluice::front::http {

class BodyPool;

// A body, or a part of one that grows. Goes back to its pool when it is destroyed, on whatever thread. The pool must outlive it.
// Behind the bytes lie kBodyPadding readable bytes; they are zero after Seal.
class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(BodyBuffer&& other) noexcept { *this = std::move(other); }
  BodyBuffer& operator=(BodyBuffer&& other) noexcept;
  ~BodyBuffer() { Release(); }

  std::string_view view() const { return {bytes_.get(), size_}; }
  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  // Bytes that fit without the padding.
  size_t capacity() const { return capacity_; }
  char* end() { return bytes_.get() + size_; }
  size_t room() const { return capacity_ - size_; }

  // Tells that `n` more bytes were received at end(). False: the pool's bound for bodies in flight was reached; they count all
  // the same until this is released. REQUIRES: n <= room().
  bool Grew(size_t n);
  // Makes room for at least `capacity` bytes in all, keeping what is there. REQUIRES: made by a pool.
  void Reserve(size_t capacity);
  // Zeroes the padding.
  void Seal();
  void Release();

 private:
  friend class BodyPool;
  BodyPool* pool_ = nullptr;
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

// Thread-safe.
class BodyPool {
 public:
  // `bytes_in_flight_max`: of all bodies together, as received.
  explicit BodyPool(uint64_t bytes_in_flight_max) : bytes_in_flight_max_(bytes_in_flight_max) {}
  BodyPool(const BodyPool&) = delete;
  BodyPool& operator=(const BodyPool&) = delete;

  // An empty buffer with room for `capacity` bytes.
  BodyBuffer Take(size_t capacity);
  uint64_t bytes_in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  // Small events, batches, and what is larger is not kept.
  static constexpr size_t kClassBytes[] = {4 << 10, 32 << 10, 160 << 10};
  static constexpr size_t kClassKeptMax[] = {1024, 128, 64};

 private:
  friend class BodyBuffer;
  static constexpr size_t kClasses = std::size(kClassBytes);
  void Give(std::unique_ptr<char[]> bytes, size_t capacity);

  const uint64_t bytes_in_flight_max_;
  std::atomic<uint64_t> in_flight_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> free_[kClasses];  // guarded by mutex_
};

}  // namespace sluice::front::http
