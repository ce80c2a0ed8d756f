// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Threads and the one way to wait. In the simulator each thread is an actor that holds a baton: exactly one runs, and the seed
// picks the next at every io call and every Wait. So blocking on a mutex that is held across an io call would stop the world:
// hold none across.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sluice::io {

enum class ThreadPriority : uint8_t {
  kNormal,
  kPrompt,  // its usual share of the cores, in the shortest slices: when it wakes up it runs soon
  // SCHED_FIFO where RLIMIT_RTPRIO allows and nobody started the program with another policy or a nice value; else as kPrompt. For a thread
  // that others wait for and that takes little: the journal's writer, an event loop with little to do.
  kRealTime,
  kBackground,  // nice 19: tiering and upkeep leave the log its core
};

// CPU time in nanoseconds. In the simulator nothing takes any.
struct CoreUse {
  int64_t thread_ns = 0, process_ns = 0;
  int64_t machine_ns = 0;  // of all programs, on all cores; 0: the system does not say
  int cores = 1;
};

class Thread {
 public:
  virtual ~Thread() = default;  // REQUIRES: joined
  virtual void Join() = 0;
};

// A doorbell: Notify before Wait is not lost, several Notify are one. Any thread may ring; one thread waits.
class Signal {
 public:
  virtual ~Signal() = default;
  virtual void Notify() = 0;
  // Returns true when it was rung, false after `timeout_us` (negative: no timeout). Clears the bell.
  virtual bool Wait(int64_t timeout_us = -1) = 0;
  // Readable while the bell is rung, for a Poller or an EventLoop.
  virtual int descriptor() const = 0;
};

// Characters that the kernel keeps of a thread's name.
constexpr size_t kThreadNameMax = 15;

class Threads {
 public:
  virtual ~Threads() = default;
  // `name` (kThreadNameMax at most) is what the system's tools show. An exception that leaves `body` is logged and aborts.
  virtual std::unique_ptr<Thread> Start(const std::string& name, ThreadPriority priority, std::function<void()> body) = 0;
  // Of the thread that calls. Threads that it starts have their own.
  virtual void SetPriority(ThreadPriority priority) = 0;
  // Up to now. Seen from the thread that calls.
  virtual CoreUse UseOfCores() = 0;
  virtual std::unique_ptr<Signal> NewSignal() = 0;
};

// What tells the thread that calls from all others that live, simulated ones too; never null.
const void* ThisThread();

}  // namespace sluice::io
