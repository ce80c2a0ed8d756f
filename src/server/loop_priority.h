// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How soon the event loop runs when other programs want the cores, too.
//
// Everybody waits for the loop: beside programs that never sleep, statements of its own workers among them, each of its wake-ups would wait
// for a slice of theirs. Then it is real-time, where that is allowed, as long as it leaves a core to others for a quarter of the time; a loop
// with more to do than that shares the cores as everybody does. Without others the kernel's usual choice is the better one: it wakes
// the loop on a core that is idle, a real-time thread preempts whoever runs where it was before (7 % of ingest in batches, on two cores).

#include "io/env.h"

namespace sluice::server {

// On the loop's thread.
class LoopPriority {
 public:
  explicit LoopPriority(io::Env env);
  ~LoopPriority();  // the thread is as others again
  LoopPriority(const LoopPriority&) = delete;
  // From time to time. Judges each fifth of a second by itself.
  void Tick();
  bool is_real_time() const { return is_real_time_; }

 private:
  bool ShouldBeRealTime(const io::CoreUse& now, int64_t passed_ns) const;

  io::Threads& threads_;
  io::Clock& clock_;
  int64_t at_ns_;     // when this time began
  io::CoreUse used_;  // before it
  bool is_real_time_ = false;
};

}  // namespace sluice::server
