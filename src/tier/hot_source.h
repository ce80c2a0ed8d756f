// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The log as the tier sees it: slices end where hot chunks end, and come when enough has gathered. The tier so reads rows from
// memory, laid out already, and never parses an event twice.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "io/env.h"
#include "log/reader.h"
#include "table/registry.h"
#include "tier/tier_options.h"

namespace sluice::tier {

// One table's. Tick, RequestFlush and FlushDone: the log's thread; LogSource: the pump's. References must outlive it.
class HotSource : public log::LogSource {
 public:
  HotSource(io::Env env, log::LogSource& log, table::Table& table, table::ChunkMemory& memory, const TierOptions& options);

  // After each round of the loop: closes the open chunk when its rows are due, and wakes the pump when there is a slice for it.
  void Tick();
  // Until the same number of FlushDone, everything is due.
  void RequestFlush();
  void FlushDone();  // any thread

  // Few rows a file: the next slice may wait `factor` intervals. The pump's thread.
  void set_interval_factor(uint32_t factor) { interval_factor_.store(factor, std::memory_order_relaxed); }
  // The chunks of the newest Cut; once: what is kept here keeps its memory. The pump's thread.
  table::HotSlice TakeCut() { return std::exchange(cut_, {}); }

  // ---- LogSource ----
  Result<std::map<log::LogPartition, log::Offset>> DurableEnds(std::string_view topic) override { return log_.DurableEnds(topic); }
  Result<std::map<log::LogPartition, log::Offset>> FirstRetained(std::string_view topic) override { return log_.FirstRetained(topic); }
  Result<std::map<log::LogPartition, log::OffsetRange>> Cut(std::string_view topic, const std::map<log::LogPartition, log::Offset>& from,
                                                           uint64_t bytes_max) override;
  Result<std::unique_ptr<log::LogReader>> NewReader(std::string_view topic, const std::map<log::LogPartition, log::Offset>& from) override {
    return log_.NewReader(topic, from);
  }
  Result<uint32_t> ChainAt(std::string_view topic, log::LogPartition partition, log::Offset offset) override { return log_.ChainAt(topic, partition, offset); }
  void Watch(io::Signal* signal) override;
  void Unwatch(io::Signal* signal) override;

 private:
  bool IsDue() const;
  void Ring();

  io::Env env_;
  log::LogSource& log_;
  table::Table& table_;
  table::ChunkMemory& memory_;
  const TierOptions options_;
  std::atomic<uint32_t> flushes_{0};
  std::atomic<uint32_t> interval_factor_{1};
  std::atomic<int64_t> awaited_{0}, awaited_since_us_{0};  // the oldest row's append time, and since when it is that (monotonic)
  table::HotSlice cut_;
  std::mutex mutex_;
  std::vector<io::Signal*> watchers_;
};

}  // namespace sluice::tier
