// SPDX-License-Identifier: Apache-2.0
//
// The hash behind bucket[N]: murmur3, 32 bits, x86 variant, seed 0 (public domain algorithm of Austin Appleby).

#include <bit>

#include "base/bytes.h"
#include "iceberg/transform.h"

namespace sluice::iceberg {
namespace {

constexpr uint32_t kBlockFactor1 = 0xCC9E2D51;
constexpr uint32_t kBlockFactor2 = 0x1B873593;

uint32_t MixBlock(uint32_t block) { return std::rotl(block * kBlockFactor1, 15) * kBlockFactor2; }

uint32_t Murmur3(std::string_view bytes) {
  uint32_t hash = 0;
  size_t at = 0;
  for (; bytes.size() - at >= 4; at += 4) {
    hash ^= MixBlock(base::GetLittle<uint32_t>(bytes.data() + at));
    hash = std::rotl(hash, 13) * 5 + 0xE6546B64;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i-- > at;) tail = tail << 8 | static_cast<uint8_t>(bytes[i]);
  hash ^= MixBlock(tail);
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85EBCA6B;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35;
  return hash ^ hash >> 16;
}

uint32_t HashLong(int64_t value) {
  std::string bytes;
  base::AppendLittle(bytes, value);
  return Murmur3(bytes);
}

// A float hashes as the double it becomes; -0.0 as 0.0.
uint32_t HashDouble(double value) { return HashLong(std::bit_cast<int64_t>(value == 0 ? 0.0 : value)); }

}  // namespace

int32_t HashValue(const Value& value, const Type& type) {
  uint32_t hash = 0;
  if (auto* v = std::get_if<int64_t>(&value)) hash = HashLong(*v);
  else if (auto* b = std::get_if<bool>(&value)) hash = HashLong(*b ? 1 : 0);
  else if (auto* f = std::get_if<float>(&value)) hash = HashDouble(static_cast<double>(*f));
  else if (auto* d = std::get_if<double>(&value)) hash = HashDouble(*d);
  else hash = Murmur3(ValueToBytes(value, type));
  return static_cast<int32_t>(hash);
}

}  // namespace sluice::iceberg
