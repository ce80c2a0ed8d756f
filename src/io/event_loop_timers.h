// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Deadlines of an event loop: a binary heap of timers that know their place in it, so that moving a deadline costs a few swaps
// and no allocation. A connection moves its deadline several times a request.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace sluice::io {

class EventLoop;

// One deadline. Belongs to the loop's thread. `loop` must outlive it.
class Timer {
 public:
  // `on_due` runs on the loop's thread, once for each Arm; it may arm again, cancel, or destroy other timers, not this one.
  Timer(EventLoop& loop, std::function<void()> on_due) : loop_(loop), on_due_(std::move(on_due)) {}
  ~Timer() { Cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Due `after_us` microseconds after the start of the current round; replaces an earlier deadline.
  void Arm(int64_t after_us);
  void Cancel();
  bool armed() const { return place_ != kNowhere; }

 private:
  friend class TimerHeap;
  static constexpr size_t kNowhere = SIZE_MAX;
  EventLoop& loop_;
  std::function<void()> on_due_;
  int64_t due_ns_ = 0;
  size_t place_ = kNowhere;
};

// The armed timers, the next one first. Not thread-safe.
class TimerHeap {
 public:
  // Adds `timer` or moves it.
  void Set(Timer& timer, int64_t due_ns);
  // Success when it is not in the heap.
  void Remove(Timer& timer);
  bool empty() const { return heap_.empty(); }
  // REQUIRES: !empty()
  int64_t next_due_ns() const { return heap_.front()->due_ns_; }
  // Runs what is due at `now_ns`. A timer armed meanwhile runs in a later call.
  void RunDue(int64_t now_ns);

 private:
  void Place(size_t at, Timer* timer);
  void Up(size_t at);
  void Down(size_t at);
  std::vector<Timer*> heap_;
};

}  // namespace sluice::io
