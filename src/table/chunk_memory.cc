// SPDX-License-Identifier: Apache-2.0
#include "table/chunk_memory.h"

#include <string>
#include <utility>

namespace sluice::table {
namespace {

constexpr const char* kRegionName = "sluice-hot";

}  // namespace

ChunkMemory::ChunkMemory(io::Env env, uint64_t bytes_max, size_t chunk_bytes, ChunkFiles files)
    : env_(env), bytes_max_(bytes_max), chunk_bytes_(chunk_bytes), files_(std::move(files)), taken_(env.threads.NewSignal()) {}

ChunkMemory::~ChunkMemory() {
  if (thread_ == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  taken_->Notify();
  thread_->Join();
}

// ---- memory ---------------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<io::SharedRegion>> ChunkMemory::Take() {
  std::unique_ptr<io::SharedRegion> region;
  bool is_first = false;
  {
    std::lock_guard lock(mutex_);
    is_first = !std::exchange(started_, true);
    if (!free_.empty()) {
      region = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (is_first) thread_ = env_.threads.Start("hot-memory", io::ThreadPriority::kNormal, [this] { Prepare(); });
  taken_->Notify();
  if (region != nullptr) return region;
  return Make();
}

// REQUIRES: mutex_ is held. Memory is not made ahead beyond the budget.
bool ChunkMemory::WantsMore() const { return free_.size() < kReadyMin && bytes_made_ + chunk_bytes_ <= bytes_max_; }

void ChunkMemory::Prepare() {
  for (;;) {
    taken_->Wait();
    for (bool more = true; more;) {
      {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
        more = WantsMore();
      }
      if (!more) break;
      auto region = env_.memory.Create(kRegionName, chunk_bytes_);
      if (!region.ok()) break;  // whoever needs one will hear of it
      std::lock_guard lock(mutex_);
      bytes_made_ += chunk_bytes_;
      free_.push_back(std::move(*region));
    }
  }
}

Result<std::unique_ptr<io::SharedRegion>> ChunkMemory::Make() {
  {
    std::lock_guard lock(mutex_);
    bytes_made_ += chunk_bytes_;
  }
  auto region = env_.memory.Create(kRegionName, chunk_bytes_);
  if (!region.ok()) {
    std::lock_guard lock(mutex_);
    bytes_made_ -= chunk_bytes_;
  }
  return region;
}

void ChunkMemory::GiveBack(std::unique_ptr<io::SharedRegion> region) {
  std::lock_guard lock(mutex_);
  free_.push_back(std::move(region));
}

uint64_t ChunkMemory::bytes_used() const {
  std::lock_guard lock(mutex_);
  return bytes_made_ - free_.size() * chunk_bytes_;
}

// ---- files ----------------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<io::SharedBytes>> ChunkMemory::WriteFile(std::span<const Part> parts) {
  {
    std::lock_guard lock(mutex_);
    if (file_bytes_ + chunk_bytes_ > files_.bytes_max)
      return Error{ErrorCode::kExhausted,
                   "files of hot rows take " + std::to_string(file_bytes_) + " of " + std::to_string(files_.bytes_max) + " bytes", ""};
    file_bytes_ += chunk_bytes_;
  }
  auto written = WriteParts(parts);
  if (!written.ok()) GiveBackFile(nullptr);
  return written;
}

Result<std::unique_ptr<io::SharedBytes>> ChunkMemory::WriteParts(std::span<const Part> parts) {
  ASSIGN_OR_RETURN(auto file, env_.files.OpenUnnamed(files_.directory));
  // The size first: what is not written is a hole, which reads as zeros.
  RETURN_IF_ERROR(file->Truncate(chunk_bytes_));
  for (auto& part : parts) RETURN_IF_ERROR(file->Write(part.at, {part.bytes.data(), part.bytes.size()}));
  return env_.memory.MapFile(*file);
}

void ChunkMemory::GiveBackFile(std::unique_ptr<io::SharedBytes> file) {
  file.reset();  // its space is for others now
  std::lock_guard lock(mutex_);
  file_bytes_ -= chunk_bytes_;
}

uint64_t ChunkMemory::file_bytes_used() const {
  std::lock_guard lock(mutex_);
  return file_bytes_;
}

uint64_t ChunkMemory::NextChunkId() {
  std::lock_guard lock(mutex_);
  return next_chunk_id_++;
}

}  // namespace sluice::table
