// SPDX-License-Identifier: Apache-2.0
#include "io/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/check.h"

namespace sluice::io {
namespace {

constexpr int kEventsPerRound = 256;

Error SystemError(const char* call) {
  int number = errno;
  ErrorCode code = number == EMFILE || number == ENFILE || number == ENOMEM || number == ENOSPC ? ErrorCode::kExhausted : ErrorCode::kIo;
  std::string hint = number == EMFILE ? "raise the limit of open files (ulimit -n)" : "";
  return Error{code, std::string(call) + " failed: " + std::strerror(number), hint};
}

uint32_t EpollEvents(Interest interest) {
  auto bits = static_cast<uint8_t>(interest);
  uint32_t events = EPOLLRDHUP;
  if (bits & 1) events |= EPOLLIN;
  if (bits & 2) events |= EPOLLOUT;
  if (bits & 4) events |= EPOLLET;
  return interest == Interest::kNone ? 0 : events;
}

Readiness FromEpoll(uint32_t events) {
  return Readiness{.readable = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0,
                   .writable = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
                   .peer_closed = (events & (EPOLLRDHUP | EPOLLHUP)) != 0,
                   .failed = (events & (EPOLLHUP | EPOLLERR)) != 0};
}

}  // namespace

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

Result<std::unique_ptr<EventLoop>> EventLoop::Make(Clock& clock) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return SystemError("epoll_create1");
  int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0) {
    Error error = SystemError("eventfd");
    close(epoll);
    return error;
  }
  std::unique_ptr<EventLoop> loop(new EventLoop(clock, epoll, wake));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<uint32_t>(wake)}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0) return SystemError("epoll_ctl");
  return loop;
}

EventLoop::EventLoop(Clock& clock, int epoll, int wake) : clock_(clock), epoll_(epoll), wake_(wake) {}

EventLoop::~EventLoop() {
  std::vector<Task> dropped;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;  // a task that is dropped may hold something that posts when it goes
    dropped.swap(posted_);
  }
  dropped.clear();
  CHECK(timers_.empty(), "a timer outlives its loop");
  close(wake_);
  close(epoll_);
}

Result<void> EventLoop::Control(int operation, int descriptor, Interest interest) {
  const Watched& watched = watched_[static_cast<size_t>(descriptor)];
  epoll_event event{.events = EpollEvents(interest), .data = {.u64 = uint64_t{watched.generation} << 32 | static_cast<uint32_t>(descriptor)}};
  if (epoll_ctl(epoll_, operation, descriptor, &event) != 0) return SystemError("epoll_ctl");
  return {};
}

Result<void> EventLoop::Watch(int descriptor, Interest interest, EventHandler& handler) {
  CHECK(descriptor >= 0, "not a descriptor");
  auto at = static_cast<size_t>(descriptor);
  if (at >= watched_.size()) watched_.resize(at + 1);
  CHECK(watched_[at].handler == nullptr, "the descriptor is watched already");
  ++watched_[at].generation;
  RETURN_IF_ERROR(Control(EPOLL_CTL_ADD, descriptor, interest));
  watched_[at].handler = &handler;
  return {};
}

Result<void> EventLoop::Modify(int descriptor, Interest interest) { return Control(EPOLL_CTL_MOD, descriptor, interest); }

void EventLoop::Unwatch(int descriptor) {
  Watched& watched = watched_[static_cast<size_t>(descriptor)];
  if (watched.handler == nullptr) return;
  watched.handler = nullptr;
  ++watched.generation;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);  // fails only when it is not watched
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

void EventLoop::Wake() {
  uint64_t one = 1;
  // Fails only when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] ssize_t written = write(wake_, &one, sizeof one);
}

void EventLoop::Post(Task task) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) Wake();
}

void EventLoop::RunPosted() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (Task& task : running_) task();
  running_.clear();
}

void EventLoop::Stop() {
  stop_.store(true, std::memory_order_release);
  Wake();
}

int64_t EventLoop::now_ns() const { return OnOwnThread() ? round_ns_ : clock_.MonotonicNs(); }

// Rounded up: a timer that is not due yet must not be looked for again and again.
int EventLoop::WaitMs() const {
  if (timers_.empty()) return -1;
  int64_t ns = timers_.next_due_ns() - clock_.MonotonicNs();
  return ns <= 0 ? 0 : static_cast<int>(std::min<int64_t>((ns + 999'999) / 1'000'000, INT_MAX));
}

Result<void> EventLoop::Run() {
  round_ns_ = clock_.MonotonicNs();
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  epoll_event events[kEventsPerRound];
  Result<void> outcome;
  while (!stop_.load(std::memory_order_acquire)) {
    int count = epoll_wait(epoll_, events, kEventsPerRound, WaitMs());
    if (count < 0 && errno != EINTR) {
      outcome = SystemError("epoll_wait");
      break;
    }
    round_ns_ = clock_.MonotonicNs();
    for (int i = 0; i < count; ++i) Dispatch(events[i].data.u64, events[i].events);
    timers_.RunDue(round_ns_);
    RunPosted();
    if (round_end_) round_end_();
  }
  owner_.store(std::thread::id{}, std::memory_order_relaxed);
  return outcome;
}

void EventLoop::Dispatch(uint64_t tag, uint32_t events) {
  auto descriptor = static_cast<uint32_t>(tag);
  if (descriptor == static_cast<uint32_t>(wake_)) {
    uint64_t count;
    [[maybe_unused]] ssize_t got = read(wake_, &count, sizeof count);  // fails only when it is zero already
    return;
  }
  const Watched& watched = watched_[descriptor];
  if (watched.handler == nullptr || watched.generation != static_cast<uint32_t>(tag >> 32)) return;
  watched.handler->OnReady(FromEpoll(events));
}

}  // namespace sluice::io
