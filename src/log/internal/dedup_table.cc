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

DedupTable::DedupTable() : slots_(kSlotsAtLeast) {}

void DedupTable::Reserve(size_t n) {
  size_t wanted = (size_ + n) * kFullDenominator / kFullNumerator + 1;
  if (wanted <= slots_.size()) return;
  std::vector<DedupEntry> old(std::max(wanted, slots_.size() * 2));
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

std::vector<DedupEntry> DedupTable::Sorted() const {
  std::vector<DedupEntry> entries;
  entries.reserve(size_);
  for (const auto& slot : slots_) {
    if (!slot.place.empty()) entries.push_back(slot);
  }
  std::sort(entries.begin(), entries.end(), [](const DedupEntry& a, const DedupEntry& b) { return a.key < b.key; });
  return entries;
}

}  // namespace sluice::log
