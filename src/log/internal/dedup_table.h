// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Key -> place in memory: open addressing, 24 bytes a slot, neighbours in a cache line, no deletion.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/large_array.h"
#include "log/internal/dedup_key.h"

namespace sluice::log {

struct DedupEntry {
  DedupKey key;
  DedupPlace place;
};

// Not thread-safe; a table that nobody changes any more may be read by many.
class DedupTable {
 public:
  // `keys`: how many are expected; more find room, too.
  explicit DedupTable(size_t keys = 0);
  size_t size() const { return size_; }
  size_t byte_size() const { return slots_.size() * sizeof(DedupEntry); }
  // Makes room for `n` further keys. Moves the entries: earlier pointers are void.
  void Reserve(size_t n);
  void Prefetch(const DedupKey& key) const { __builtin_prefetch(&slots_[Home(key)], 1); }
  // The place of a key; null: not in the table. Until the next Reserve.
  const DedupPlace* Find(const DedupKey& key) const;
  // REQUIRES: Find(key) == nullptr, room was reserved. The place may be overwritten through the pointer until the next Reserve.
  DedupPlace* Insert(const DedupKey& key, DedupPlace place);
  // Forgets all keys and keeps the memory.
  void Clear();
  // All entries, ascending by key.
  std::vector<DedupEntry> Sorted() const;

 private:
  size_t Home(const DedupKey& key) const {
    return static_cast<size_t>((key.high >> 32) * slots_.size() >> 32);  // fewer than 2^32 slots
  }
  base::LargeArray<DedupEntry> slots_;
  size_t size_ = 0;
};

}  // namespace sluice::log
