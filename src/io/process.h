// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Processes that this program starts: its own executable again, as a worker that lives no longer than its parent.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice::io {

// How a process ended.
struct ProcessExit {
  int code = 0;    // what it returned; 0 when a signal ended it
  int signal = 0;  // 0: none
  bool ok() const { return code == 0 && signal == 0; }
};

// A started process. Destroyed: it is killed and reaped. Not thread-safe, but Kill may be called from any thread.
class Process {
 public:
  virtual ~Process() = default;
  virtual int pid() const = 0;
  // SIGKILL; nothing when it has ended.
  virtual void Kill() = 0;
  // From now on its threads, and those that they start, run when nobody else of this program wants a core (SCHED_IDLE), and with a small
  // share where the kernel shares cores among sessions. There is no way back without privileges. Best effort: nothing when it has ended.
  virtual void RunInBackground() = 0;
  // CPU time of all its threads together, those that ended included; 0 when nobody knows any more.
  virtual int64_t CpuNs() = 0;
  // Waits until it has ended. Nothing: it still runs after `timeout_us` (negative: no timeout). A scheduling point.
  virtual std::optional<ProcessExit> Wait(int64_t timeout_us = -1) = 0;
  // Readable once it has ended, for an EventLoop; owned by this.
  virtual int descriptor() const = 0;
};

// Thread-safe. Must outlive the processes that it started.
class Processes {
 public:
  static constexpr size_t kDescriptorsMax = 64;
  virtual ~Processes() = default;
  // Runs this program's executable with `arguments` (without the program's name). `descriptors` (still owned by the caller,
  // kDescriptorsMax at most) become 3, 4, ... there; stdin is empty, stdout is our stderr, nothing else is inherited: no descriptor, no
  // environment, no signal mask, no session. The kernel kills the child when this process ends, however it ends.
  // kExhausted: no more processes or memory. kUnavailable: in the simulator, always. kIo: it could not be run.
  virtual Result<std::unique_ptr<Process>> StartSelf(const std::vector<std::string>& arguments, std::span<const int> descriptors) = 0;
};

}  // namespace sluice::io
