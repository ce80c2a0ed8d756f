// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Workers for statements, ready and taken together always as many. One that must not be used again is replaced: a warm spare stands
// ready, a new spare starts in the background.

#include <memory>
#include <mutex>
#include <vector>

#include "io/env.h"
#include "query/worker_process.h"

namespace sluice::query {

// Thread-safe.
class WorkerPool {
 public:
  static constexpr int64_t kStartTimeoutMs = 10'000;
  static constexpr int64_t kRetryMs = 1'000;     // after a failed start
  static constexpr int64_t kTrimIdleMs = 10'000;  // an idle worker then drops its mappings

  // Keeps `workers` of them. Starts its thread; the first worker may not be ready yet.
  WorkerPool(io::Env env, WorkerSetup setup, size_t workers);
  // Ends the workers that were not taken.
  ~WorkerPool();

  // Nothing: none is ready now; look again soon.
  std::unique_ptr<WorkerProcess> TryTake();
  // Back, for the next statement.
  void GiveBack(std::unique_ptr<WorkerProcess> worker);
  // A taken one that is not to be used again: ends it, and another one starts.
  void Replace(std::unique_ptr<WorkerProcess> worker);

  // Of idle workers: what their mappings of hot chunks pin.
  uint64_t idle_mapped_bytes() const;

 private:
  void Run();
  // Tells workers that were idle for long to let go of hot chunks.
  void TrimIdle();

  struct Idle {
    std::unique_ptr<WorkerProcess> worker;
    int64_t since_ns;
  };
  const io::Env env_;
  const WorkerSetup setup_;
  const size_t workers_max_;
  std::unique_ptr<io::Signal> changed_;
  mutable std::mutex mutex_;
  std::vector<Idle> ready_;
  size_t workers_ = 0;  // ready or taken
  bool stopping_ = false;
  std::unique_ptr<io::Thread> thread_;
};

}  // namespace sluice::query
