// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Key -> place in memory: open addressing, 24 bytes a slot, neighbours in a cache line, no deletion.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/large_array.h"
#include "base/prefetch.h"
#include "base/result.h"
#include "log/internal/dedup_key.h"

namespace sluice::log {

struct DedupEntry {
  DedupKey key;
  DedupPlace place;
};

// Entries in the order of their keys, some at a time: a run is made without standing in memory.
class DedupEntries {
 public:
  virtual ~DedupEntries() = default;
  // The next ones, until the next call; none: that was all.
  virtual Result<std::span<const DedupEntry>> Next() = 0;
};

// Not thread-safe; a table that nobody changes any more may be read by many.
class DedupTable {
 public:
  // `keys`: how many are expected. `keys_usual_max`: more than this it will hardly hold; those that come all the same find room, too.
  explicit DedupTable(size_t keys = 0, size_t keys_usual_max = SIZE_MAX);
  size_t size() const { return size_; }
  size_t byte_size() const { return slots_.size() * sizeof(DedupEntry); }
  // Makes room for `n` further keys. Moves the entries: earlier pointers are void.
  void Reserve(size_t n);
  void Prefetch(const DedupKey& key) const { base::Prefetch(&slots_[Home(key)]); }
  // The place of a key; null: not in the table. Until the next Reserve.
  const DedupPlace* Find(const DedupKey& key) const;
  // REQUIRES: Find(key) == nullptr, room was reserved. The place may be overwritten through the pointer until the next Reserve.
  DedupPlace* Insert(const DedupKey& key, DedupPlace place);
  // Forgets all keys and keeps the memory.
  void Clear();

 private:
  friend class DedupTableEntries;
  size_t Home(const DedupKey& key) const {
    return static_cast<size_t>((key.high >> 32) * slots_.size() >> 32);  // fewer than 2^32 slots
  }
  base::LargeArray<DedupEntry> slots_;
  size_t slots_usual_max_;
  size_t size_ = 0;
};

// Of a table that nobody changes meanwhile; it must outlive this.
class DedupTableEntries final : public DedupEntries {
 public:
  explicit DedupTableEntries(const DedupTable& table) : table_(table) {}
  Result<std::span<const DedupEntry>> Next() override;

 private:
  const DedupTable& table_;
  size_t slot_ = 0;
  std::vector<DedupEntry> found_;    // what Next answered
  std::vector<DedupEntry> wrapped_;  // whose home is at the end of the table
};

// Of several sources that have no key in common.
class MergedDedupEntries final : public DedupEntries {
 public:
  explicit MergedDedupEntries(std::vector<std::unique_ptr<DedupEntries>> sources);
  Result<std::span<const DedupEntry>> Next() override;

 private:
  struct Source {
    std::unique_ptr<DedupEntries> entries;
    std::span<const DedupEntry> left;  // empty: it has no more
  };
  void TakeUpTo(const DedupKey& last);
  void SortTaken(const DedupKey& last);

  std::vector<Source> sources_;  // that have entries left
  DedupKey first_;               // no entry that is left has a smaller key
  std::vector<DedupEntry> taken_, merged_;
  std::vector<uint32_t> places_;  // of the next entry of each part of the keys, in merged_
};

}  // namespace sluice::log
