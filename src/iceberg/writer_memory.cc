// SPDX-License-Identifier: Apache-2.0
#include "iceberg/writer_memory.h"

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <vector>

namespace sluice::iceberg {
namespace {

// Buffers of at least this are rounded up to a power of two and kept; smaller ones the heap recycles well enough.
constexpr size_t kKeptBufferMin = size_t{32} << 10;
constexpr std::align_val_t kAlignment{64};

size_t CapacityOf(size_t bytes) { return bytes < kKeptBufferMin ? bytes : std::bit_ceil(bytes); }
size_t ClassOf(size_t capacity) { return static_cast<size_t>(std::countr_zero(capacity)); }
uint8_t* New(size_t capacity) { return static_cast<uint8_t*>(::operator new(capacity, kAlignment)); }
void Delete(uint8_t* buffer) { ::operator delete(buffer, kAlignment); }

}  // namespace

class WriterMemory::Pool final : public ::arrow::MemoryPool {
 public:
  ~Pool() override {
    for (auto& free : free_)
      for (auto* buffer : free) Delete(buffer);
  }

  using ::arrow::MemoryPool::Allocate;
  using ::arrow::MemoryPool::Free;
  using ::arrow::MemoryPool::Reallocate;

  ::arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    if (alignment > static_cast<int64_t>(kAlignment)) return ::arrow::Status::Invalid("an alignment that nobody asks for");
    const size_t capacity = CapacityOf(std::max<size_t>(1, static_cast<size_t>(size)));
    auto* free = FreeList(capacity);
    if (free != nullptr && !free->empty()) {
      *out = free->back();
      free->pop_back();
      kept_ -= capacity;
    } else {
      *out = New(capacity);
    }
    in_use_ += capacity;
    total_ += size;
    allocations_++;
    peak_ = std::max(peak_, in_use_ + kept_);
    return ::arrow::Status::OK();
  }

  ::arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** buffer) override {
    if (CapacityOf(static_cast<size_t>(old_size)) == CapacityOf(static_cast<size_t>(new_size)) && new_size > 0 && old_size > 0)
      return ::arrow::Status::OK();
    uint8_t* larger = nullptr;
    ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &larger));
    std::memcpy(larger, *buffer, static_cast<size_t>(std::min(old_size, new_size)));
    Free(*buffer, old_size, alignment);
    *buffer = larger;
    return ::arrow::Status::OK();
  }

  void Free(uint8_t* buffer, int64_t size, int64_t) override {
    const size_t capacity = CapacityOf(std::max<size_t>(1, static_cast<size_t>(size)));
    in_use_ -= capacity;
    auto* free = FreeList(capacity);
    if (free == nullptr || kept_ + capacity > kKeptBytesMax) return Delete(buffer);
    free->push_back(buffer);
    kept_ += capacity;
  }

  int64_t bytes_allocated() const override { return static_cast<int64_t>(in_use_); }
  int64_t max_memory() const override { return static_cast<int64_t>(peak_); }
  int64_t total_bytes_allocated() const override { return total_; }
  int64_t num_allocations() const override { return allocations_; }
  std::string backend_name() const override { return "sluice"; }

  size_t kept() const { return kept_; }

 private:
  // Null: buffers of that size are not kept.
  std::vector<uint8_t*>* FreeList(size_t capacity) {
    return capacity < kKeptBufferMin || capacity > kKeptBytesMax ? nullptr : &free_[ClassOf(capacity)];
  }

  std::array<std::vector<uint8_t*>, 64> free_;  // by power of two
  size_t in_use_ = 0, kept_ = 0, peak_ = 0;
  int64_t total_ = 0, allocations_ = 0;
};

WriterMemory::WriterMemory() : pool_(std::make_unique<Pool>()) {}
WriterMemory::~WriterMemory() = default;
size_t WriterMemory::bytes_in_use() const { return static_cast<size_t>(pool_->bytes_allocated()); }
size_t WriterMemory::bytes_kept() const { return pool_->kept(); }
size_t WriterMemory::bytes_peak() const { return static_cast<size_t>(pool_->max_memory()); }
::arrow::MemoryPool& WriterMemory::pool() { return *pool_; }

}  // namespace sluice::iceberg
