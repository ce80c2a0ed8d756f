// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The filter of a dedup run: lines of 64 bytes, a cache line, of which a key has one; a bit in each of its sixteen words. Whether all are
// set is two comparisons of vectors, and mostly one. Lines are in the order of their keys, as blocks are: a filter is written as a stream.
// With four bytes a key about 1 in 170,000 keys that are not in it seem to be. Each of these is a read of the disk, for which
// the loop waits when the request is small, and a window of many hours has dozens of runs.
//
// After Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2009), in the shape of Parquet's split block filter.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "log/internal/dedup_key.h"

namespace sluice::log {

struct DedupFilterLine {
  uint32_t words[16];
};

inline constexpr size_t kFilterBytesPerKey = 4;

constexpr size_t FilterLines(size_t keys) { return keys * kFilterBytesPerKey / sizeof(DedupFilterLine) + 1; }

// Which of `lines` lines is a key's: never one before that of a smaller key. Fewer than 2^32 lines.
constexpr size_t FilterLineOf(const DedupKey& key, size_t lines) { return static_cast<size_t>((key.high >> 32) * lines >> 32); }

// The bits of a key in half a line: five bits of a product for each word. `half` of the key chooses them, which does not choose the line.
inline __m256i FilterBitsOf(uint32_t half) {
  const __m256i factors = _mm256_setr_epi32(0x47b6137b, 0x44974d91, static_cast<int>(0x8824ad5b), static_cast<int>(0xa2b7289d), 0x705495c7,
                                            0x2df1424b, static_cast<int>(0x9efc4947), 0x5c6bfb31);
  const __m256i product = _mm256_mullo_epi32(_mm256_set1_epi32(static_cast<int>(half)), factors);
  return _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_srli_epi32(product, 27));
}

// What all runs ask for the same key: its bits do not depend on the length of a filter.
struct DedupFilterBits {
  explicit DedupFilterBits(const DedupKey& key)
      : first(FilterBitsOf(static_cast<uint32_t>(key.low))), second(FilterBitsOf(static_cast<uint32_t>(key.low >> 32))) {}
  __m256i first, second;
};

inline void AddToFilter(DedupFilterLine& line, const DedupFilterBits& bits) {
  auto* halves = reinterpret_cast<__m256i*>(&line);
  _mm256_storeu_si256(halves, _mm256_or_si256(_mm256_loadu_si256(halves), bits.first));
  _mm256_storeu_si256(halves + 1, _mm256_or_si256(_mm256_loadu_si256(halves + 1), bits.second));
}

inline bool MayHold(const DedupFilterLine& line, const DedupFilterBits& bits) {
  const auto* halves = reinterpret_cast<const __m256i*>(&line);
  return _mm256_testc_si256(_mm256_loadu_si256(halves), bits.first) != 0 && _mm256_testc_si256(_mm256_loadu_si256(halves + 1), bits.second) != 0;
}

}  // namespace sluice::log
