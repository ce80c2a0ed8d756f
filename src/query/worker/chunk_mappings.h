// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Hot chunks, mapped read-only. A mapping costs about as much as scanning one of the chunk's columns, so the newest stay from
// statement to statement.

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "query/worker/server_channel.h"
#include "table/hot_chunk_reader.h"

namespace sluice::query {

// One mapped chunk; unmapped with the last owner.
class MappedChunk {
 public:
  // kCorruption: no hot chunk. kExhausted: no address space.
  static Result<std::shared_ptr<const MappedChunk>> Map(int descriptor, uint64_t bytes);
  ~MappedChunk();
  const table::HotChunkReader& reader() const { return *reader_; }
  uint64_t bytes() const { return mapping_.size(); }

 private:
  std::span<char> mapping_;
  std::unique_ptr<table::HotChunkReader> reader_;
};

// Thread-safe.
class ChunkMappings {
 public:
  static constexpr size_t kKeptMax = 32;

  explicit ChunkMappings(ServerChannel& server) : server_(server) {}
  // The chunk `id`, whose memory never becomes another chunk's while a view that names it lives.
  Result<std::shared_ptr<const MappedChunk>> Get(uint64_t id, uint64_t bytes);
  // Between statements: forgets all but the newest kKeptMax, or all.
  void Trim(size_t kept_max = kKeptMax);
  uint64_t mapped_bytes() const;

 private:
  struct Entry {
    uint64_t id;
    std::shared_ptr<const MappedChunk> chunk;
  };
  ServerChannel& server_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // the most recently used last
};

}  // namespace sluice::query
