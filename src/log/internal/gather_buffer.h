// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Where a commit gathers: aligned memory that the disk writes from and that readers of the newest commits share afterwards.
// Commits stand one behind the other in an arena; nothing is copied between Append and a reader.

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "log/internal/journal_format.h"

namespace sluice::log {

// Aligned memory of one size, recycled when the last user lets go: fresh pages cost more than the copy into them.
class ArenaPool : public std::enable_shared_from_this<ArenaPool> {
 public:
  explicit ArenaPool(size_t arena_bytes) : arena_bytes_(arena_bytes) {}
  ~ArenaPool();
  // At least `bytes`; not zeroed. Freed, or kept for the next Get, when the last copy is gone, on any thread.
  std::shared_ptr<char> Get(size_t bytes);
  size_t arena_bytes() const { return arena_bytes_; }
  // Of all that live, and of those that are kept.
  uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kFreeMax = 2;
  char* Make(size_t bytes);
  void Unmake(char* memory, size_t bytes);
  void Return(char* memory);
  const size_t arena_bytes_;
  std::mutex mutex_;
  std::vector<char*> free_;
  std::atomic<uint64_t> memory_bytes_{0};
};

struct SealedCommit {
  std::shared_ptr<const char> memory;  // keeps `bytes` alive
  char* header = nullptr;              // kCommitHeaderSize bytes to be filled before writing
  std::string_view bytes;              // header, frames, padding: a multiple of kBlock, aligned to it
  uint32_t length = 0;                 // without the padding
};

// Not thread-safe.
class GatherBuffer {
 public:
  static constexpr size_t kArenaBytes = size_t{8} << 20;
  explicit GatherBuffer(size_t commit_bytes_max);

  // `n` writable bytes behind what was gathered, until the next call; null when the commit would exceed its bound.
  char* Reserve(size_t n);
  // The first `n` bytes of the last Reserve belong to the commit now.
  void Advance(size_t n) { length_ += n; }
  // Where the last Reserve pointed to.
  char* end() { return arena_.get() + begin_ + length_; }
  bool empty() const { return length_ == kCommitHeaderSize; }
  size_t length() const { return length_; }
  uint64_t memory_bytes() const { return pool_->memory_bytes(); }
  bool Fits(size_t n) const { return PadTo(length_ + n, kBlock) <= commit_bytes_max_; }
  // Ends the commit and begins the next one behind it.
  SealedCommit Seal();

 private:
  void MoveToArena(size_t bytes);

  const size_t commit_bytes_max_;
  std::shared_ptr<ArenaPool> pool_;
  std::shared_ptr<char> arena_;
  size_t arena_bytes_ = 0;
  size_t begin_ = 0;                   // of the gathering commit in the arena
  size_t length_ = kCommitHeaderSize;  // of the gathering commit
};

}  // namespace sluice::log
