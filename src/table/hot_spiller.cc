// SPDX-License-Identifier: Apache-2.0
#include "table/hot_spiller.h"

#include <algorithm>

namespace sluice::table {
namespace {

constexpr int64_t kRetryUs = 1'000'000;  // after a file that could not be written

}  // namespace

HotSpiller::HotSpiller(io::Env env, TableRegistry& registry, ChunkMemory& memory)
    : env_(env), registry_(registry), memory_(memory), wake_(env.threads.NewSignal()) {}

HotSpiller::~HotSpiller() {
  if (thread_ == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_->Notify();
  thread_->Join();
}

void HotSpiller::Tick() {
  HotTail::Which which;
  if (Victims(which).empty()) return;
  if (thread_ == nullptr) thread_ = env_.threads.Start("hot-files", io::ThreadPriority::kNormal, [this] { Work(); });
  wake_->Notify();
}

std::vector<Table*> HotSpiller::Victims(HotTail::Which& which) const {
  if (memory_.files_are_full()) return {};
  const bool stuck = registry_.stuck_bytes() >= memory_.stuck_bytes_max();
  if (!stuck && !(memory_.is_nearly_full() && memory_.file_bytes_used() < memory_.file_bytes_max() / 2)) return {};
  which = stuck ? HotTail::Which::kOldest : HotTail::Which::kNewest;
  std::vector<std::pair<uint64_t, Table*>> sizes;
  for (auto* table : registry_.Tables())
    if (table->is_stuck() || !stuck) sizes.push_back({table->hot().bytes().memory, table});
  std::stable_sort(sizes.begin(), sizes.end(), [](auto& a, auto& b) { return a.first > b.first; });
  std::vector<Table*> out;
  for (auto& [bytes, table] : sizes)
    if (bytes > 0) out.push_back(table);
  return out;
}

Result<bool> HotSpiller::Step() {
  HotTail::Which which = HotTail::Which::kOldest;
  for (auto* table : Victims(which)) {
    ASSIGN_OR_RETURN(bool moved, table->hot().MoveToFile(which));
    if (moved) return true;
  }
  return false;
}

void HotSpiller::Work() {
  int64_t retry_at_ns = 0;
  bool failed = false;
  for (;;) {
    wake_->Wait();
    for (bool more = env_.clock.MonotonicNs() >= retry_at_ns; more;) {
      {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
      auto moved = Step();
      more = moved.ok() && *moved;
      if (!moved.ok()) {
        if (!failed) env_.log.Warn("hot rows were not moved to a file", {{"cause", moved.error().ToString()}});
        retry_at_ns = env_.clock.MonotonicNs() + kRetryUs * 1'000;
      }
      failed = !moved.ok();
    }
    std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace sluice::table
