// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The filter of a dedup run: lines of 32 bytes, half a cache line, of which a key has one; a bit in each of its eight words. Whether all are
// set is one comparison of vectors. Lines are in the order of their keys, as blocks are: a filter is written as a stream.
// With three bytes a key about 1 in 5,000 keys that are not in it seem to be.
//
// After Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2009), in the shape of Parquet's split block filter.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "log/internal/dedup_key.h"

namespace sluice::log {

struct DedupFilterLine {
  uint32_t words[8];
};

inline constexpr size_t kFilterBytesPerKey = 3;

constexpr size_t FilterLines(size_t keys) { return keys * kFilterBytesPerKey / sizeof(DedupFilterLine) + 1; }

// Which of `lines` lines is a key's: never one before that of a smaller key. Fewer than 2^32 lines.
constexpr size_t FilterLineOf(const DedupKey& key, size_t lines) { return static_cast<size_t>((key.high >> 32) * lines >> 32); }

// The bits of a key in its line: five bits of a product for each word, of the half of the key that does not choose the line.
inline __m256i FilterBitsOf(const DedupKey& key) {
  const __m256i factors = _mm256_setr_epi32(0x47b6137b, 0x44974d91, static_cast<int>(0x8824ad5b), static_cast<int>(0xa2b7289d), 0x705495c7,
                                            0x2df1424b, static_cast<int>(0x9efc4947), 0x5c6bfb31);
  const __m256i product = _mm256_mullo_epi32(_mm256_set1_epi32(static_cast<int>(key.low)), factors);
  return _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_srli_epi32(product, 27));
}

inline void AddToFilter(DedupFilterLine& line, const DedupKey& key) {
  auto* at = reinterpret_cast<__m256i*>(&line);
  _mm256_storeu_si256(at, _mm256_or_si256(_mm256_loadu_si256(at), FilterBitsOf(key)));
}

inline bool MayHold(const DedupFilterLine& line, const DedupKey& key) {
  return _mm256_testc_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(&line)), FilterBitsOf(key)) != 0;
}

}  // namespace sluice::log
