// SPDX-License-Identifier: Apache-2.0
#include "io/event_loop.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::io {

class EventLoop::SignalHandler : public EventHandler {
 public:
  SignalHandler(Signal& s, std::function<void()> on_rung) : signal(s), on_rung_(std::move(on_rung)) {}
  void OnReady(Readiness) override {
    signal.Wait(0);
    on_rung_();
  }
  Signal& signal;

 private:
  std::function<void()> on_rung_;
};

Result<std::unique_ptr<EventLoop>> EventLoop::Make(Network& network, Clock& clock) {
  ASSIGN_OR_RETURN(auto poller, network.NewPoller());
  return std::unique_ptr<EventLoop>(new EventLoop(network, clock, std::move(poller)));
}

EventLoop::EventLoop(Network& network, Clock& clock, std::unique_ptr<Poller> poller)
    : network_(network), clock_(clock), poller_(std::move(poller)) {}

EventLoop::~EventLoop() {
  std::vector<Task> dropped;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;  // a task that is dropped may hold something that posts when it goes
    dropped.swap(posted_);
  }
  dropped.clear();
  CHECK(timers_.empty(), "a timer outlives its loop");
}

uint64_t EventLoop::TagOf(int descriptor) const {
  return uint64_t{watched_[static_cast<size_t>(descriptor)].generation} << 32 | static_cast<uint32_t>(descriptor);
}

Result<void> EventLoop::Watch(int descriptor, Interest interest, EventHandler& handler) {
  CHECK(descriptor >= 0, "not a descriptor");
  auto at = static_cast<size_t>(descriptor);
  if (at >= watched_.size()) watched_.resize(at + 1);
  CHECK(watched_[at].handler == nullptr, "the descriptor is watched already");
  ++watched_[at].generation;
  RETURN_IF_ERROR(poller_->Add(descriptor, interest, TagOf(descriptor)));
  watched_[at].handler = &handler;
  return {};
}

Result<void> EventLoop::Modify(int descriptor, Interest interest) {
  return poller_->Modify(descriptor, interest, TagOf(descriptor));
}

void EventLoop::Unwatch(int descriptor) {
  Watched& watched = watched_[static_cast<size_t>(descriptor)];
  if (watched.handler == nullptr) return;
  watched.handler = nullptr;
  ++watched.generation;
  poller_->Remove(descriptor);
}

Result<void> EventLoop::WatchSignal(Signal& signal, std::function<void()> on_rung) {
  auto handler = std::make_unique<SignalHandler>(signal, std::move(on_rung));
  RETURN_IF_ERROR(Watch(signal.descriptor(), Interest::kRead, *handler));
  signals_.push_back(std::move(handler));
  return {};
}

void EventLoop::UnwatchSignal(Signal& signal) {
  Unwatch(signal.descriptor());
  std::erase_if(signals_, [&](const auto& handler) { return &handler->signal == &signal; });
}

void EventLoop::Post(Task task) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) poller_->Wake();
}

void EventLoop::RunPosted() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (Task& task : running_) {
    Task taken = std::move(task);  // what it holds goes with it: a decoder may be waited for
    taken();
  }
  running_.clear();
}

void EventLoop::Stop() {
  stop_.store(true, std::memory_order_release);
  poller_->Wake();
}

int64_t EventLoop::now_ns() const { return OnOwnThread() ? round_ns_ : clock_.MonotonicNs(); }

int64_t EventLoop::WaitNs() const {
  return timers_.empty() ? -1 : std::max<int64_t>(0, timers_.next_due_ns() - clock_.MonotonicNs());
}

// As long as Run is on the stack, however it is left: what goes after a simulated crash must not call what went before it.
class EventLoop::Ownership {
 public:
  explicit Ownership(EventLoop& loop) : loop_(loop) { loop_.owner_.store(ThisThread(), std::memory_order_relaxed); }
  ~Ownership() { loop_.owner_.store(nullptr, std::memory_order_relaxed); }

 private:
  EventLoop& loop_;
};

Result<void> EventLoop::Run() {
  round_ns_ = clock_.MonotonicNs();
  Ownership here(*this);
  PollEvent events[kEventsPerRound];
  while (!stop_.load(std::memory_order_acquire)) {
    ASSIGN_OR_RETURN(const size_t count, poller_->Wait(events, WaitNs()));
    round_ns_ = clock_.MonotonicNs();
    for (size_t i = 0; i < count; ++i) Dispatch(events[i]);
    timers_.RunDue(round_ns_);
    RunPosted();
    if (round_end_) round_end_();
  }
  return {};
}

void EventLoop::Dispatch(const PollEvent& event) {
  const Watched& watched = watched_[static_cast<uint32_t>(event.tag)];
  if (watched.handler == nullptr || watched.generation != static_cast<uint32_t>(event.tag >> 32)) return;
  watched.handler->OnReady(event.ready);
}

}  // namespace sluice::io
