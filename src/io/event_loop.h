// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The event loop: one thread waits for descriptors, deadlines and functions that others post, and runs their handlers.
//
//   round = wait ─▶ ready descriptors ─▶ due timers ─▶ posted functions ─▶ round end
//
// The round's end is where the log cuts a commit, unless more is being decoded: what one round brought in is written together and answered
// together.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/clock.h"
#include "io/event_loop_timers.h"
#include "io/poller.h"
#include "io/sockets.h"
#include "io/threads.h"

namespace sluice::io {

// Called on the loop's thread. May watch, unwatch and destroy anything, itself included.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void OnReady(Readiness ready) = 0;
};

// A function that can be moved and not copied; called at most once.
class Task {
 public:
  template <class F>
  Task(F function) : body_(std::make_unique<Body<F>>(std::move(function))) {}  // NOLINT: implicit, so that a lambda can be posted
  void operator()() { body_->Run(); }

 private:
  struct AnyBody {
    virtual ~AnyBody() = default;
    virtual void Run() = 0;
  };
  template <class F>
  struct Body final : AnyBody {
    explicit Body(F f) : function(std::move(f)) {}
    void Run() override { function(); }
    F function;
  };
  std::unique_ptr<AnyBody> body_;
};

// All calls belong to the thread that is in Run (before Run: to the thread that sets things up), except Post, Stop and
// OnOwnThread, which are for every thread. Handlers, timers and signals must be taken out before the loop is destroyed.
class EventLoop {
 public:
  // kExhausted: too many open files; kIo. `network` and `clock` must outlive the loop.
  static Result<std::unique_ptr<EventLoop>> Make(Network& network, Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `handler` when `descriptor` is ready, until Unwatch. Owns neither. kExhausted, kIo: it is not watched.
  Result<void> Watch(int descriptor, Interest interest, EventHandler& handler);
  // REQUIRES: watched.
  Result<void> Modify(int descriptor, Interest interest);
  // Before the descriptor is closed. No event that was already reported reaches the handler any more.
  void Unwatch(int descriptor);
  // Calls `on_rung` after each ring of `signal`; the bell is cleared before. REQUIRES: nobody else waits for it.
  Result<void> WatchSignal(Signal& signal, std::function<void()> on_rung);
  // Not from within its own `on_rung`.
  void UnwatchSignal(Signal& signal);

  // Runs `task` on the loop's thread in this round or the next. The queue has no bound of its own: post in proportion to
  // something bounded (a request, a worker). After Run has returned, tasks are dropped unrun when the loop is destroyed.
  void Post(Task task);
  // Called once after each round; replaces an earlier one. Null: none.
  void SetRoundEnd(std::function<void()> round_end) { round_end_ = std::move(round_end); }

  // Until Stop. kIo: the kernel refused to wait.
  Result<void> Run();
  // Run returns after the current round. May come before Run: then it returns at once.
  void Stop();
  // True in handlers, timers, tasks and the round's end.
  bool OnOwnThread() const { return owner_.load(std::memory_order_relaxed) == ThisThread(); }

  // The monotonic time at the start of this round. Outside Run: now.
  int64_t now_ns() const;
  Network& network() { return network_; }
  Clock& clock() { return clock_; }
  TimerHeap& timers() { return timers_; }

 private:
  struct Watched {
    EventHandler* handler = nullptr;
    uint32_t generation = 0;  // tells a reported event of an earlier owner of the same descriptor number
  };
  static constexpr size_t kEventsPerRound = 256;
  class SignalHandler;
  class Ownership;
  EventLoop(Network& network, Clock& clock, std::unique_ptr<Poller> poller);
  uint64_t TagOf(int descriptor) const;
  void Dispatch(const PollEvent& event);
  int64_t WaitNs() const;
  void RunPosted();

  Network& network_;
  Clock& clock_;
  const std::unique_ptr<Poller> poller_;
  std::vector<Watched> watched_;  // by descriptor
  std::vector<std::unique_ptr<SignalHandler>> signals_;
  TimerHeap timers_;
  std::function<void()> round_end_;
  int64_t round_ns_ = 0;
  std::atomic<const void*> owner_{nullptr};
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
  bool closed_ = false;       // guarded by mutex_
  std::vector<Task> running_;
};

}  // namespace sluice::io
