// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_table.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kSlotsAtLeast = 4096;
// At two thirds full a miss looks at five slots on average: two cache lines.
constexpr size_t kFullNumerator = 2, kFullDenominator = 3;
constexpr size_t kKeysDoubled = size_t{1} << 40;
constexpr size_t kEntriesAtOnce = 512;         // and what its cluster has more
constexpr size_t kEntriesSortedAtOnce = 4096;  // of a merge: about twice 96 KiB, in the cache

size_t SlotsFor(size_t keys) { return keys * kFullDenominator / kFullNumerator + 1; }

// For what is nearly in order.
void SortByInsertion(std::vector<DedupEntry>& entries) {
  for (size_t i = 1; i < entries.size(); i++) {
    const DedupEntry entry = entries[i];
    size_t at = i;
    for (; at > 0 && entry.key < entries[at - 1].key; at--) entries[at] = entries[at - 1];
    entries[at] = entry;
  }
}

}  // namespace

DedupTable::DedupTable(size_t keys, size_t keys_usual_max)
    : slots_(std::max(kSlotsAtLeast, SlotsFor(keys))), slots_usual_max_(keys_usual_max > kKeysDoubled ? SIZE_MAX : SlotsFor(keys_usual_max)) {}

// Doubles up to the usual size, so that a table that is about to be frozen does not take twice of what it needs.
void DedupTable::Reserve(size_t n) {
  const size_t wanted = SlotsFor(size_ + n);
  if (wanted <= slots_.size()) return;
  const size_t grown = slots_.size() < slots_usual_max_ ? std::min(slots_.size() * 2, slots_usual_max_) : slots_.size() + slots_.size() / 4;
  base::LargeArray<DedupEntry> old(std::max(wanted, grown));
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

// Slots are in the order of their keys' homes, and no entry is far from its home: only neighbours without an empty slot between them can be
// out of order. Of those that begin the table some may have their home at its end.
Result<std::span<const DedupEntry>> DedupTableEntries::Next() {
  const auto& slots = table_.slots_;
  const bool is_first = slot_ == 0;
  found_.clear();
  bool in_first_cluster = is_first;
  for (; slot_ < slots.size(); slot_++) {
    const DedupEntry& entry = slots[slot_];
    if (entry.place.empty()) {
      in_first_cluster = false;
      if (found_.size() >= kEntriesAtOnce) break;
    } else if (in_first_cluster && table_.Home(entry.key) > slot_) {
      wrapped_.push_back(entry);
    } else {
      found_.push_back(entry);
    }
  }
  if (slot_ == slots.size()) {
    found_.insert(found_.end(), wrapped_.begin(), wrapped_.end());
    wrapped_.clear();
  }
  SortByInsertion(found_);
  return std::span<const DedupEntry>(found_);
}

MergedDedupEntries::MergedDedupEntries(std::vector<std::unique_ptr<DedupEntries>> sources) {
  for (auto& source : sources) sources_.push_back({std::move(source), {}});
}

// A slice of the keys at a time: what all sources have of it is sorted anew, which costs less than asking for each key which source has it.
Result<std::span<const DedupEntry>> MergedDedupEntries::Next() {
  for (auto& source : sources_) {
    if (!source.left.empty()) continue;
    ASSIGN_OR_RETURN(source.left, source.entries->Next());
  }
  std::erase_if(sources_, [](const auto& source) { return source.left.empty(); });
  merged_.clear();
  if (sources_.empty()) return std::span<const DedupEntry>();
  const size_t of_each = kEntriesSortedAtOnce / sources_.size() + 1;
  DedupKey last{UINT64_MAX, UINT64_MAX};
  for (const auto& source : sources_) last = std::min(last, source.left[std::min(of_each, source.left.size()) - 1].key);
  TakeUpTo(last);
  SortTaken(last);
  first_ = last;
  return std::span<const DedupEntry>(merged_);
}

void MergedDedupEntries::TakeUpTo(const DedupKey& last) {
  taken_.clear();
  for (auto& source : sources_) {
    const auto end = std::upper_bound(source.left.begin(), source.left.end(), last, [](const DedupKey& k, const DedupEntry& e) { return k < e.key; });
    taken_.insert(taken_.end(), source.left.begin(), end);
    source.left = source.left.subspan(static_cast<size_t>(end - source.left.begin()));
  }
}

// Keys are hashes, which are spread evenly: each of about as many parts of the slice has about one, and neighbours are put right in the end.
void MergedDedupEntries::SortTaken(const DedupKey& last) {
  const uint64_t width = last.high - first_.high;
  const int shift = std::max(0, static_cast<int>(std::bit_width(width)) - static_cast<int>(std::bit_width(taken_.size())));
  const auto part_of = [&](const DedupEntry& e) { return static_cast<size_t>((e.key.high - first_.high) >> shift); };
  places_.assign((width >> shift) + 2, 0);
  for (const auto& entry : taken_) places_[part_of(entry) + 1]++;
  for (size_t part = 1; part < places_.size(); part++) places_[part] += places_[part - 1];
  merged_.resize(taken_.size());
  for (const auto& entry : taken_) merged_[places_[part_of(entry)]++] = entry;
  SortByInsertion(merged_);
}

}  // namespace sluice::log
