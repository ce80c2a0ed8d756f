// SPDX-License-Identifier: Apache-2.0
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr size_t kEventsPerWait = 256;
constexpr uint64_t kWakeTag = UINT64_MAX;

Error PollError(const char* call) {
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

// Rounded up: a timer that is not due yet must not be looked for again and again.
int ToMs(int64_t timeout_ns) {
  return timeout_ns < 0 ? -1 : static_cast<int>(std::min<int64_t>((timeout_ns + 999'999) / 1'000'000, INT_MAX));
}

class RealPoller final : public Poller {
 public:
  RealPoller(Descriptor epoll, Descriptor wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}

  Result<void> Add(int descriptor, Interest interest, uint64_t tag) override { return Control(EPOLL_CTL_ADD, descriptor, interest, tag); }
  Result<void> Modify(int descriptor, Interest interest, uint64_t tag) override {
    return Control(EPOLL_CTL_MOD, descriptor, interest, tag);
  }
  void Remove(int descriptor) override {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);  // fails only when it is not added
  }

  Result<size_t> Wait(std::span<PollEvent> events, int64_t timeout_ns) override {
    epoll_event news[kEventsPerWait];
    const int count = epoll_wait(epoll_.get(), news, static_cast<int>(std::min(events.size(), kEventsPerWait)), ToMs(timeout_ns));
    if (count < 0 && errno != EINTR) return PollError("epoll_wait");
    size_t filled = 0;
    for (int i = 0; i < count; ++i) {
      if (news[i].data.u64 == kWakeTag) ClearWake();
      else events[filled++] = {news[i].data.u64, FromEpoll(news[i].events)};
    }
    return filled;
  }

  void Wake() override {
    uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is awake anyway.
    [[maybe_unused]] ssize_t written = write(wake_.get(), &one, sizeof one);
  }

 private:
  Result<void> Control(int operation, int descriptor, Interest interest, uint64_t tag) {
    epoll_event event{.events = EpollEvents(interest), .data = {.u64 = tag}};
    if (epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0) return PollError("epoll_ctl");
    return {};
  }
  void ClearWake() {
    uint64_t count;
    [[maybe_unused]] ssize_t got = read(wake_.get(), &count, sizeof count);  // fails only when it is zero already
  }

  const Descriptor epoll_;
  const Descriptor wake_;
};

}  // namespace

Result<std::unique_ptr<Poller>> MakeRealPoller() {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return PollError("epoll_create1");
  Descriptor wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake.valid()) return PollError("eventfd");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeTag}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) return PollError("epoll_ctl");
  return std::unique_ptr<Poller>(std::make_unique<RealPoller>(std::move(epoll), std::move(wake)));
}

}  // namespace sluice::io
