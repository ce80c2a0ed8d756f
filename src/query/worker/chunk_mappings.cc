// SPDX-License-Identifier: Apache-2.0
#include "query/worker/chunk_mappings.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::query {

Result<std::shared_ptr<const MappedChunk>> MappedChunk::Map(int descriptor, uint64_t bytes) {
  // MAP_POPULATE: all pages in one call instead of a fault for each.
  void* base = mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  if (base == MAP_FAILED) return Error{ErrorCode::kExhausted, "no mapping of a hot chunk: " + std::string(strerror(errno)), ""};
  auto out = std::make_shared<MappedChunk>();
  out->mapping_ = {static_cast<char*>(base), bytes};
  ASSIGN_OR_RETURN(auto reader, table::HotChunkReader::Open(out->mapping_));
  out->reader_ = std::make_unique<table::HotChunkReader>(reader);
  return std::shared_ptr<const MappedChunk>(std::move(out));
}

MappedChunk::~MappedChunk() {
  if (!mapping_.empty()) munmap(mapping_.data(), mapping_.size());
}

Result<std::shared_ptr<const MappedChunk>> ChunkMappings::Get(uint64_t id, uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.id == id && e.chunk->bytes() == bytes; });
    if (found != entries_.end()) {
      std::rotate(found, found + 1, entries_.end());
      return entries_.back().chunk;
    }
  }
  ASSIGN_OR_RETURN(auto descriptor, server_.Open(id));
  ASSIGN_OR_RETURN(auto chunk, MappedChunk::Map(descriptor.get(), bytes));
  std::lock_guard lock(mutex_);
  entries_.push_back({id, chunk});  // two threads may both have mapped it: harmless, the older entry ages away
  return chunk;
}

void ChunkMappings::Trim(size_t kept_max) {
  std::lock_guard lock(mutex_);
  if (entries_.size() > kept_max) entries_.erase(entries_.begin(), entries_.end() - static_cast<ptrdiff_t>(kept_max));
}

uint64_t ChunkMappings::mapped_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (auto& e : entries_) bytes += e.chunk->bytes();
  return bytes;
}

}  // namespace sluice::query
