// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The thread that does nothing but write commits: one at a time, durable when it says so. Wake-ups of a busy thread wait for
// scheduler ticks of 4 ms; this one has a priority of its own.

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "io/threads.h"

namespace sluice::log {

struct WriteJob {
  std::shared_ptr<io::File> file;  // open for direct I/O: Write returns when the bytes are durable
  uint64_t position = 0;
  std::string_view bytes;          // aligned; alive until the write was reaped
};

// All methods on one thread (the loop).
class JournalWriter {
 public:
  // `written` is rung when a write ended. `on_fatal` runs on the writer's thread when one failed; whether a failed write
  // reached the disk is unknown, and nothing may be written to the file afterwards.
  JournalWriter(io::Threads& threads, io::Signal& written, std::function<void(const Error&)> on_fatal);
  ~JournalWriter();  // waits for the write in flight

  bool in_flight() const { return in_flight_; }
  // True after a failed write: the writer takes no job any more.
  bool failed() const { return state_.load(std::memory_order_acquire) == State::kFailed; }
  // REQUIRES: !in_flight(), !failed().
  void Submit(WriteJob job);
  // True once for each job that became durable.
  bool Reap();

 private:
  enum class State : uint8_t { kIdle, kSubmitted, kDone, kFailed };
  void Run();

  io::Signal& written_;
  std::function<void(const Error&)> on_fatal_;
  WriteJob job_;                             // handed over by state_
  std::atomic<State> state_{State::kIdle};
  std::atomic<bool> stopping_{false};
  bool in_flight_ = false;
  std::unique_ptr<io::Signal> submitted_;
  std::unique_ptr<io::Thread> thread_;
};

}  // namespace sluice::log
