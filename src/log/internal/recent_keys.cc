// SPDX-License-Identifier: Apache-2.0
#include "log/internal/recent_keys.h"

#include <atomic>
#include <cstring>

namespace sluice::log {
namespace {

// A line as words that one thread writes while others read them.
constexpr size_t kWords = sizeof(DedupFilterLine) / sizeof(uint64_t);

struct LineBits {
  explicit LineBits(const DedupFilterBits& bits) {
    static_assert(sizeof words == sizeof bits);
    std::memcpy(words, &bits, sizeof words);
  }
  uint64_t words[kWords];
};

std::atomic_ref<uint64_t> WordOf(const DedupFilterLine& line, size_t i) {
  return std::atomic_ref(reinterpret_cast<uint64_t*>(const_cast<DedupFilterLine*>(&line))[i]);
}

}  // namespace

RecentKeys::RecentKeys(size_t keys_max) : lines_(keys_max / sizeof(DedupFilterLine) + 1) {}

// No word needs an order among others: who asks for a key has learned of its run behind a lock, and then sees all of its bits.
void RecentKeys::Add(std::span<const DedupEntry> entries) {
  for (const auto& entry : entries) {
    const LineBits bits{DedupFilterBits(entry.key)};
    const DedupFilterLine& line = lines_[FilterLineOf(entry.key, lines_.size())];
    for (size_t i = 0; i < kWords; i++) {
      const auto word = WordOf(line, i);
      word.store(word.load(std::memory_order_relaxed) | bits.words[i], std::memory_order_relaxed);
    }
  }
}

bool RecentKeys::MayHold(const DedupKey& key, const DedupFilterBits& bits) const {
  const LineBits asked(bits);
  const DedupFilterLine& line = lines_[FilterLineOf(key, lines_.size())];
  uint64_t missing = 0;
  for (size_t i = 0; i < kWords; i++) missing |= asked.words[i] & ~WordOf(line, i).load(std::memory_order_relaxed);
  return missing == 0;
}

}  // namespace sluice::log
