// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What makes two events the same: (tenant, topic, source, id), as a 128-bit hash under a secret of the journal, so that nobody can
// make two ids collide on purpose.

#include <array>
#include <cstdint>
#include <compare>
#include <string_view>

#include "log/types.h"

namespace sluice::log {

struct DedupKey {
  uint64_t high = 0, low = 0;
  auto operator<=>(const DedupKey&) const = default;
};

// Where the first event of a key is. Packed into 64 bits; 0 is none.
class DedupPlace {
 public:
  static constexpr int64_t kOffsetMax = (int64_t{1} << 48) - 2;
  static constexpr int32_t kPartitionMax = (1 << 15) - 1;
  constexpr DedupPlace() = default;
  constexpr explicit DedupPlace(uint64_t packed) : packed_(packed) {}
  constexpr DedupPlace(LogPartition partition, Offset offset)
      : packed_((static_cast<uint64_t>(partition.get()) << 48) + static_cast<uint64_t>(offset.get()) + 1) {}
  // A row of the request that is being admitted: its offset is not known yet.
  static constexpr DedupPlace Pending(uint32_t row) { return DedupPlace(kPendingBit | row); }
  constexpr bool empty() const { return packed_ == 0; }
  constexpr bool pending() const { return (packed_ & kPendingBit) != 0; }
  constexpr uint32_t pending_row() const { return static_cast<uint32_t>(packed_); }
  constexpr LogPartition partition() const { return LogPartition(static_cast<int32_t>((packed_ - 1) >> 48)); }
  constexpr Offset offset() const { return Offset(static_cast<int64_t>((packed_ - 1) & 0xffffffffffff)); }
  constexpr uint64_t packed() const { return packed_; }

 private:
  static constexpr uint64_t kPendingBit = uint64_t{1} << 63;
  uint64_t packed_ = 0;
};

// Immutable; may be shared by threads.
class DedupHasher {
 public:
  // The part of the key that a whole frame shares.
  using Scope = std::array<char, 16>;

  // `secret`: JournalIdentity::dedup_secret.
  explicit DedupHasher(std::string_view secret);
  Scope ScopeOf(std::string_view tenant, std::string_view topic) const;
  DedupKey KeyOf(const Scope& scope, std::string_view source, std::string_view id) const;

 private:
  static constexpr size_t kHashSecretSize = 192;  // XXH3_SECRET_DEFAULT_SIZE
  DedupKey Hash(std::string_view bytes) const;
  std::array<unsigned char, kHashSecretSize> secret_;
};

}  // namespace sluice::log
