// SPDX-License-Identifier: Apache-2.0
#include "tier/hot_source.h"

#include <algorithm>

#include "base/check.h"
#include "tier/data_file_stager.h"

namespace sluice::tier {

HotSource::HotSource(io::Env env, log::LogSource& log, table::Table& table, table::ChunkMemory& memory, const TierOptions& options)
    : env_(env), log_(log), table_(table), memory_(memory), options_(options) {}

bool HotSource::IsDue() const {
  const auto& hot = table_.hot();
  if (table_.is_torn()) return false;
  // While rows are loaded they come in small portions: whole slices only, unless they need to leave.
  if (hot.awaits_older()) {
    const uint64_t ready = hot.rows_sliceable();
    return ready > 0 && (memory_.is_short() || table_.is_stuck() || ready >= options_.rows_max ||
                         hot.chunk_count() * memory_.chunk_bytes() >= options_.bytes_max);
  }
  const uint64_t rows = hot.rows_visible();
  if (rows == 0) return false;
  if (flushes_.load(std::memory_order_relaxed) > 0 || !memory_.has_room_to_load()) return true;
  if (memory_.is_short() && hot.rows_sliceable() > 0) return true;
  if (rows >= options_.rows_max || hot.chunk_count() * memory_.chunk_bytes() >= options_.bytes_max) return true;
  const int64_t oldest = hot.oldest_append_us();
  if (oldest == 0) return false;
  const int64_t wait_us = options_.interval_us * interval_factor_.load(std::memory_order_relaxed);
  if (env_.clock.Now().us - oldest >= wait_us) return true;
  return awaited_.load(std::memory_order_relaxed) == oldest &&
         env_.clock.MonotonicNs() / 1'000 - awaited_since_us_.load(std::memory_order_relaxed) >= wait_us;
}

void HotSource::Tick() {
  // Append times are those of a wall clock, which may have gone back since.
  if (const int64_t oldest = table_.hot().oldest_append_us(); oldest != awaited_.load(std::memory_order_relaxed)) {
    awaited_since_us_.store(env_.clock.MonotonicNs() / 1'000, std::memory_order_relaxed);
    awaited_.store(oldest, std::memory_order_relaxed);
  }
  if (!IsDue()) return;
  // One chunk more is closed only when the pump has none to work on: under load chunks close by themselves, full.
  if (table_.hot().rows_sliceable() == 0 && !table_.hot().awaits_older()) table_.hot().Close();
  Ring();
}

void HotSource::RequestFlush() {
  flushes_.fetch_add(1, std::memory_order_relaxed);
  table_.hot().Close();
  Ring();
}

void HotSource::FlushDone() { CHECK(flushes_.fetch_sub(1, std::memory_order_relaxed) > 0, "a flush ended that was not requested"); }

Result<std::map<log::LogPartition, log::OffsetRange>> HotSource::Cut(std::string_view topic,
                                                                     const std::map<log::LogPartition, log::Offset>& from,
                                                                     uint64_t /*bytes_max: chunks are in memory already*/) {
  std::map<log::LogPartition, log::OffsetRange> out;
  cut_ = {};
  if (!IsDue()) return out;
  auto slice = table_.hot().Slice(std::min(options_.rows_max, kCommitRowsMax));
  for (auto& [partition, end] : slice.end) {
    auto at = from.find(partition);
    const log::Offset begin = at == from.end() ? log::Offset(0) : at->second;
    if (end <= begin) continue;
    // A hole would be a loss that nobody sees: progress would move over rows that were never laid into memory.
    auto first = slice.begin.find(partition);
    if (first == slice.begin.end() || first->second != begin)
      return Error{ErrorCode::kCorruption,
                   "the rows in memory of \"" + std::string(topic) + "\", log partition " + std::to_string(partition.get()) +
                       ", do not begin at offset " + std::to_string(begin.get()) + " where the table ends",
                   "restart the server: rows are laid into memory from the log"};
    ASSIGN_OR_RETURN(auto chain, log_.ChainAt(topic, partition, end));
    out[partition] = {begin, end, 0, chain};
  }
  if (!out.empty()) cut_ = std::move(slice);
  return out;
}

void HotSource::Watch(io::Signal* signal) {
  std::lock_guard lock(mutex_);
  watchers_.push_back(signal);
}
void HotSource::Unwatch(io::Signal* signal) {
  std::lock_guard lock(mutex_);
  std::erase(watchers_, signal);
}
void HotSource::Ring() {
  std::lock_guard lock(mutex_);
  for (auto* s : watchers_) s->Notify();
}

}  // namespace sluice::tier
