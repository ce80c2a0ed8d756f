// SPDX-License-Identifier: Apache-2.0
#include "io/event_loop_timers.h"

#include "io/event_loop.h"

namespace sluice::io {

void Timer::Arm(int64_t after_us) { loop_.timers().Set(*this, loop_.now_ns() + after_us * 1000); }

void Timer::Cancel() {
  if (armed()) loop_.timers().Remove(*this);
}

void TimerHeap::Set(Timer& timer, int64_t due_ns) {
  timer.due_ns_ = due_ns;
  if (!timer.armed()) {
    heap_.push_back(&timer);
    timer.place_ = heap_.size() - 1;
  }
  Up(timer.place_);
  Down(timer.place_);
}

void TimerHeap::Remove(Timer& timer) {
  if (!timer.armed()) return;
  size_t at = timer.place_;
  timer.place_ = Timer::kNowhere;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  Place(at, last);
  Up(at);
  Down(last->place_);
}

void TimerHeap::RunDue(int64_t now_ns) {
  // Bounded by what is in the heap now: a timer that arms itself with no delay must not keep the loop from its sockets.
  for (size_t left = heap_.size(); left > 0 && !heap_.empty() && next_due_ns() <= now_ns; --left) {
    Timer* timer = heap_.front();
    Remove(*timer);
    timer->on_due_();
  }
}

void TimerHeap::Place(size_t at, Timer* timer) {
  heap_[at] = timer;
  timer->place_ = at;
}

void TimerHeap::Up(size_t at) {
  Timer* timer = heap_[at];
  while (at > 0 && timer->due_ns_ < heap_[(at - 1) / 2]->due_ns_) {
    Place(at, heap_[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  Place(at, timer);
}

void TimerHeap::Down(size_t at) {
  Timer* timer = heap_[at];
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->due_ns_ < heap_[child]->due_ns_) ++child;
    if (timer->due_ns_ <= heap_[child]->due_ns_) break;
    Place(at, heap_[child]);
    at = child;
  }
  Place(at, timer);
}

}  // namespace sluice::io
