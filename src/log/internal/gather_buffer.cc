// SPDX-License-Identifier: Apache-2.0
#include "log/internal/gather_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace sluice::log {
namespace {

constexpr std::align_val_t kAlignment{io::kDirectAlignment};
static_assert(kBlock % io::kDirectAlignment == 0);

// Records are copied in vectors: they may be read so far behind the last commit of an arena.
constexpr size_t kReadablePadding = 64;

char* Allocate(size_t bytes) { return static_cast<char*>(::operator new(bytes + kReadablePadding, kAlignment)); }
void Free(char* memory) { ::operator delete(memory, kAlignment); }

}  // namespace

char* ArenaPool::Make(size_t bytes) {
  memory_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return Allocate(bytes);
}

void ArenaPool::Unmake(char* memory, size_t bytes) {
  Free(memory);
  memory_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

ArenaPool::~ArenaPool() {
  for (char* memory : free_) Free(memory);
}

std::shared_ptr<char> ArenaPool::Get(size_t bytes) {
  if (bytes > arena_bytes_) return {Make(bytes), [pool = shared_from_this(), bytes](char* m) { pool->Unmake(m, bytes); }};
  char* memory = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      memory = free_.back();
      free_.pop_back();
    }
  }
  if (memory == nullptr) memory = Make(arena_bytes_);
  return {memory, [pool = shared_from_this()](char* m) { pool->Return(m); }};
}

void ArenaPool::Return(char* memory) {
  {
    std::lock_guard lock(mutex_);
    if (free_.size() < kFreeMax) {
      free_.push_back(memory);
      return;
    }
  }
  Unmake(memory, arena_bytes_);
}

GatherBuffer::GatherBuffer(size_t commit_bytes_max)
    : commit_bytes_max_(commit_bytes_max), pool_(std::make_shared<ArenaPool>(std::min(kArenaBytes, PadTo(commit_bytes_max, kBlock)))) {
  MoveToArena(pool_->arena_bytes());
}

char* GatherBuffer::Reserve(size_t n) {
  if (!Fits(n)) return nullptr;
  size_t needed = PadTo(length_ + n, kBlock);
  if (begin_ + needed > arena_bytes_) MoveToArena(needed);
  return arena_.get() + begin_ + length_;
}

// Doubles beyond the usual size, so that a commit that keeps growing is not copied each time.
void GatherBuffer::MoveToArena(size_t bytes) {
  size_t size = pool_->arena_bytes();
  while (size < bytes) size *= 2;
  auto arena = pool_->Get(size);
  if (arena_ != nullptr)
    std::memcpy(arena.get() + kCommitHeaderSize, arena_.get() + begin_ + kCommitHeaderSize, length_ - kCommitHeaderSize);
  arena_ = std::move(arena);
  arena_bytes_ = size;
  begin_ = 0;
}

SealedCommit GatherBuffer::Seal() {
  size_t padded = PadTo(length_, kBlock);
  if (begin_ + padded > arena_bytes_) MoveToArena(padded);
  char* at = arena_.get() + begin_;
  std::memset(at + length_, 0, padded - length_);
  SealedCommit sealed{arena_, at, {at, padded}, static_cast<uint32_t>(length_)};
  begin_ += padded;
  length_ = kCommitHeaderSize;
  if (begin_ + kBlock > arena_bytes_) MoveToArena(pool_->arena_bytes());
  return sealed;
}

}  // namespace sluice::log
