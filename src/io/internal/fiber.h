// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A function with a stack of its own: what a thread is, without the kernel. One thread runs all fibers of a simulation, one at a time:
// giving the baton from one to the other takes less than a microsecond, between threads it took ten.
//
// What C++ keeps by thread goes with the fiber where it matters, which is exceptions on their way. A `thread_local` variable is shared by
// all fibers.

#include <cstddef>
#include <functional>

namespace sluice::io {

// Not thread-safe: all fibers that switch to each other belong to one thread.
class Fiber {
 public:
  // The thread itself, as it is: what the first switch comes from.
  Fiber();
  // `body` runs from the first switch on; at its end it has to switch away for good, by EndBySwitchTo.
  explicit Fiber(std::function<void()> body);
  // What a fiber that has begun and not ended has on its stack is not destroyed. REQUIRES: it does not run.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From this fiber, which runs, to another one. Returns when somebody switches back.
  void SwitchTo(Fiber& to);
  // The same for the last time: nobody may switch back.
  [[noreturn]] void EndBySwitchTo(Fiber& to);

 private:
  // What __cxa_get_globals() points at; the ABI names both members.
  struct Exceptions {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };
  static void Begin(Fiber* self);
  void Leave(Fiber& to, bool for_good);
  void Arrive();

  std::function<void()> body_;
  void* stack_pointer_ = nullptr;  // while it does not run: below it stand the registers that a function keeps
  char* stack_ = nullptr;          // with a page before it that nobody may touch; null: the thread's own
  Exceptions exceptions_;
  // For sanitizers, which have to know where the stack is.
  Fiber* came_from_ = nullptr;
  const void* stack_bottom_ = nullptr;
  size_t stack_size_ = 0;
  void* fake_stack_ = nullptr;
  void* tsan_fiber_ = nullptr;
};

}  // namespace sluice::io
