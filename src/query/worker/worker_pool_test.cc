// SPDX-License-Identifier: Apache-2.0
#include "query/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>

namespace sluice::query {
namespace {

class CountingProcesses : public io::Processes {
 public:
  explicit CountingProcesses(io::Processes& real) : real_(real) {}
  Result<std::unique_ptr<io::Process>> StartSelf(const std::vector<std::string>& arguments, std::span<const int> descriptors) override {
    started++;
    return real_.StartSelf(arguments, descriptors);
  }
  std::atomic<int> started{0};

 private:
  io::Processes& real_;
};

std::unique_ptr<WorkerProcess> Take(WorkerPool& pool, io::Clock& clock) {
  for (;;) {
    if (auto worker = pool.TryTake()) return worker;
    clock.SleepUs(1'000);
  }
}

// Found by the freshness benchmark: every statement started a process, because a taken worker counted as missing.
TEST(WorkerPool, AStatementStartsNoProcess) {
  io::RealWorld world(io::LogLevel::kError);
  io::Env real = world.env();
  CountingProcesses processes(real.processes);
  io::Env env{real.files, real.objects, real.memory, real.clock, real.random, real.threads, real.log, real.metrics, processes, real.network};
  WorkerSetup setup;
  setup.options.spill_files = 0;
  WorkerPool pool(env, setup, 2);
  auto first = Take(pool, env.clock), second = Take(pool, env.clock);
  pool.GiveBack(std::move(first));
  pool.GiveBack(std::move(second));
  for (int i = 0; i < 20; i++) pool.GiveBack(Take(pool, env.clock));
  // One that must not be used again is replaced by one; the pool would have started more by then, had it wanted to.
  pool.Replace(Take(pool, env.clock));
  first = Take(pool, env.clock);
  second = Take(pool, env.clock);
  EXPECT_EQ(processes.started, 3);
}

}  // namespace
}  // namespace sluice::query
