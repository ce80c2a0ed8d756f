// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_table.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kSlotsAtLeast = 4096;
// At two thirds full a miss looks at five slots on average: two cache lines.
constexpr size_t kFullNumerator = 2, kFullDenominator = 3;

}  // namespace

DedupTable::DedupTable(size_t keys) : slots_(std::max(kSlotsAtLeast, keys * kFullDenominator / kFullNumerator + 1)) {}

void DedupTable::Reserve(size_t n) {
  size_t wanted = (size_ + n) * kFullDenominator / kFullNumerator + 1;
  if (wanted <= slots_.size()) return;
  base::LargeArray<DedupEntry> old(std::max(wanted, slots_.size() * 2));
  old.swap(slots_);
  size_ = 0;
  for (const auto& entry : old) {
    if (!entry.place.empty()) Insert(entry.key, entry.place);
  }
}

const DedupPlace* DedupTable::Find(const DedupKey& key) const {
  for (size_t i = Home(key);; i = i + 1 == slots_.size() ? 0 : i + 1) {
    if (slots_[i].place.empty()) return nullptr;
    if (slots_[i].key == key) return &slots_[i].place;
  }
}

DedupPlace* DedupTable::Insert(const DedupKey& key, DedupPlace place) {
  CHECK(size_ + 1 < slots_.size(), "a dedup table without room");
  size_t i = Home(key);
  while (!slots_[i].place.empty()) i = i + 1 == slots_.size() ? 0 : i + 1;
  slots_[i] = {key, place};
  size_++;
  return &slots_[i].place;
}

void DedupTable::Clear() {
  slots_.Clear();
  size_ = 0;
}

// Slots are in the order of their keys' homes, and no entry is far from its home: what is left to sort is short.
std::vector<DedupEntry> DedupTable::Sorted() const {
  std::vector<DedupEntry> entries;
  entries.reserve(size_);
  // The first slots may hold entries whose home is at the end.
  size_t wrapped = 0;
  while (!slots_[wrapped].place.empty() && Home(slots_[wrapped].key) > wrapped) wrapped++;
  for (size_t i = wrapped; i < slots_.size(); i++) {
    if (!slots_[i].place.empty()) entries.push_back(slots_[i]);
  }
  entries.insert(entries.end(), slots_.begin(), slots_.begin() + wrapped);
  for (size_t i = 1; i < entries.size(); i++) {
    const DedupEntry entry = entries[i];
    size_t at = i;
    for (; at > 0 && entry.key < entries[at - 1].key; at--) entries[at] = entries[at - 1];
    entries[at] = entry;
  }
  return entries;
}

}  // namespace sluice::log
