// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "io/env.h"
#include "io/internal/real_parts.h"

namespace sluice::io {

// In the order in which they need each other.
struct RealWorld::Parts {
  explicit Parts(LogLevel level) : log(MakeDescriptorLogger(STDERR_FILENO, level, *clock)) {}

  Metrics metrics;
  std::unique_ptr<Clock> clock = MakeRealClock();
  std::unique_ptr<Random> random = MakeRealRandom();
  std::unique_ptr<Logger> log;
  std::unique_ptr<Threads> threads = MakeRealThreads(*log);
  std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  std::unique_ptr<ObjectStore> objects = MakeFileObjectStore(*files);
  std::unique_ptr<SharedMemory> memory = MakeRealSharedMemory();
  std::unique_ptr<Processes> processes = MakeRealProcesses();
  std::unique_ptr<Network> network = MakeRealNetwork();
};

RealWorld::RealWorld(LogLevel log_level) : parts_(std::make_unique<Parts>(log_level)) {}
RealWorld::~RealWorld() = default;

Env RealWorld::env() {
  auto& p = *parts_;
  return Env{*p.files, *p.objects, *p.memory, *p.clock, *p.random, *p.threads, *p.log, p.metrics, *p.processes, *p.network};
}

}  // namespace sluice::io
