// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The real twins, one factory each. Everybody outside io/ gets them through RealWorld (io/env.h).

#include <memory>

#include "io/clock.h"
#include "io/file_system.h"
#include "io/logger.h"
#include "io/process.h"
#include "io/random.h"
#include "io/shared_memory.h"
#include "io/sockets.h"
#include "io/threads.h"

namespace sluice::io {

struct RealFileSystemOptions {
  // False: behave as on a file system that refuses O_DIRECT (tests of the fallback).
  bool direct_allowed = true;
};
std::unique_ptr<FileSystem> MakeRealFileSystem(RealFileSystemOptions options = {});
std::unique_ptr<Clock> MakeRealClock();
std::unique_ptr<Random> MakeRealRandom();
// Writes lines from `level` on to `descriptor` (not owned). `clock` must outlive it.
std::unique_ptr<Logger> MakeDescriptorLogger(int descriptor, LogLevel level, Clock& clock);
// `log` hears what leaves a thread as an exception; it must outlive all threads.
std::unique_ptr<Threads> MakeRealThreads(Logger& log);
std::unique_ptr<SharedMemory> MakeRealSharedMemory();
std::unique_ptr<Processes> MakeRealProcesses();
std::unique_ptr<Network> MakeRealNetwork();
Result<std::unique_ptr<Poller>> MakeRealPoller();

}  // namespace sluice::io
