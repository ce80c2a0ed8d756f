// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A set of keys that is asked and filled at once: what deduplication needs of a store.

#include <memory>
#include <span>
#include <string>

#include "io/env.h"
#include "log/internal/dedup_key.h"

namespace sluice::bench {

class KeySet {
 public:
  virtual ~KeySet() = default;
  // How many of the keys were not there. They are now.
  virtual size_t InsertAbsent(std::span<const log::DedupKey> keys) = 0;
  // Work that in a server is done beside the caller, by another thread. Called between requests; not part of InsertAbsent's time.
  virtual void DoUpkeep() {}
  virtual uint64_t memory_bytes() const { return 0; }
  virtual uint64_t disk_bytes() const { return 0; }
};

// Sluice's own: a table of 1 M keys in memory, sealed into runs below `directory`.
std::unique_ptr<KeySet> MakeSluiceKeySet(io::Env env, const std::string& directory);
#ifdef SLUICE_BENCH_ROCKSDB
// Get, then Put: Bloom filter of 10 bits a key, no write-ahead log, everything else as RocksDB has it.
std::unique_ptr<KeySet> MakeRocksKeySet(const std::string& directory);
#endif

}  // namespace sluice::bench
