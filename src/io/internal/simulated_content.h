// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The bytes of one simulated file: what is on the disk, and what so far only the page cache knows.
//
//   durable bytes ── unsynced change ── unsynced change ── ... ──▶ cached bytes (what reads see)
//
// A crash decides for each sector or page by itself how many of the changes that touch it had reached the disk: that covers
// changes that are kept, lost, torn and written back in another order. Changes to one sector never swap.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/internal/seeded_random.h"

namespace sluice::io {

// What a disk writes whole or not at all, and what a page cache writes back at once.
constexpr uint64_t kSectorBytes = 512;
constexpr uint64_t kPageBytes = 4096;

// Not thread-safe.
class SimulatedContent {
 public:
  const std::string& cached() const { return cached_; }
  const std::string& durable() const { return durable_; }
  bool has_unsynced() const { return !unsynced_.empty(); }

  // Into the page cache.
  void Write(uint64_t at, std::string_view bytes);
  void Truncate(uint64_t size);
  // To the disk at once, as O_DIRECT|O_DSYNC does.
  void WriteThrough(uint64_t at, std::string_view bytes);
  // Like WriteThrough, but the power fails meanwhile: a Crash follows and may tear it at sectors.
  void WriteInFlight(uint64_t at, std::string_view bytes);
  void Sync();
  // A sync that failed: the kernel forgets that the pages are dirty, so no later Sync writes them. Reads still see them.
  void FailSync() { unsynced_.clear(); }
  // As Write or WriteThrough, except that `lost_bytes` of `bytes` from `lost_at` on are never stored: the disk lies. After the next sync
  // reads see what is stored.
  void WriteButLose(uint64_t at, std::string_view bytes, size_t lost_at, size_t lost_bytes, bool through);
  // `bytes` land where nobody wrote them.
  void PutOnDisk(uint64_t at, std::string_view bytes);
  // The machine stops: the cached bytes become one of the states that the disk may be in.
  void Crash(SeededRandom& random);
  // Flips the bits of `mask`, on the disk and in the cache. REQUIRES: `at` < size.
  void Corrupt(uint64_t at, uint8_t mask);

 private:
  struct Change {
    bool is_truncate = false;
    uint64_t at = 0;  // position of a write, or new size
    std::string bytes;
    bool in_flight = false;
  };
  // How a crash treats the changes of one file.
  enum class Loss : uint8_t { kNothing, kEverything, kSuffix, kUnits };
  static constexpr uint64_t kLossCount = 4;

  static void Apply(std::string& to, const Change& change);
  void LoseUnits(SeededRandom& random);
  uint64_t SizeAfter(size_t changes) const;

  std::string durable_;
  std::string cached_;
  bool has_lied_ = false;  // the page cache believes what the disk does not have
  std::vector<Change> unsynced_;
};

}  // namespace sluice::io
