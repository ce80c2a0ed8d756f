// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <thread>

#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr int kLogFifoPriority = 1;    // above every normal thread; below whatever else an administrator runs as real-time
constexpr uint64_t kLogSliceNs = 100'000;
constexpr int kBackgroundNice = 19;

// struct sched_attr of linux/sched/types.h, which clashes with glibc's <sched.h>.
struct SchedulerAttributes {
  uint32_t size = 56;
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
  uint32_t util_min = 0;
  uint32_t util_max = 0;
};
static_assert(sizeof(SchedulerAttributes) == 56);

// All of it is best effort: without it the process is slower, not wrong.
void ApplyPriority(ThreadPriority priority) {
  if (priority == ThreadPriority::kBackground) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kBackgroundNice);
  if (priority != ThreadPriority::kLog) return;
  sched_param parameters{};
  parameters.sched_priority = kLogFifoPriority;
  // Children of this thread fall back to the normal policy.
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0) return;
  // With EEVDF (Linux 6.12) a waking thread preempts a running one at once only if its slice is shorter; any thread may
  // shorten its own. Otherwise it waits for the next tick, 4 ms at 250 Hz.
  SchedulerAttributes attributes;
  attributes.runtime_ns = kLogSliceNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void RunBody(const std::string& name, ThreadPriority priority, const std::function<void()>& body, Logger& log) {
  pthread_setname_np(pthread_self(), name.c_str());
  ApplyPriority(priority);
  try {
    body();
  } catch (const std::exception& e) {
    log.Error("exception left a thread", {{"thread", name}, {"what", e.what()}});
    std::abort();
  }
}

class RealThread final : public Thread {
 public:
  RealThread(const std::string& name, ThreadPriority priority, std::function<void()> body, Logger& log)
      : thread_([=, body = std::move(body), &log] { RunBody(name, priority, body, log); }) {}
  ~RealThread() override { CHECK(!thread_.joinable(), "a thread was not joined"); }
  void Join() override { thread_.join(); }

 private:
  std::thread thread_;
};

int64_t MonotonicUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kMicrosPerSecond + now.tv_nsec / 1000;
}

class RealSignal final : public Signal {
 public:
  RealSignal() : bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(bell_.valid(), "no eventfd: too many open files"); }

  void Notify() override {
    uint64_t one = 1;
    // EAGAIN means that the counter is at its maximum, that is: rung.
    while (write(bell_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }

  bool Wait(int64_t timeout_us) override {
    const int64_t end_us = timeout_us < 0 ? 0 : MonotonicUs() + timeout_us;
    for (;;) {
      uint64_t rings = 0;
      if (read(bell_.get(), &rings, sizeof rings) == static_cast<ssize_t>(sizeof rings)) return true;
      int64_t left_us = timeout_us < 0 ? 0 : end_us - MonotonicUs();
      if (timeout_us >= 0 && left_us <= 0) return false;
      timespec left{left_us / kMicrosPerSecond, left_us % kMicrosPerSecond * 1000};
      pollfd waiting{bell_.get(), POLLIN, 0};
      ppoll(&waiting, 1, timeout_us < 0 ? nullptr : &left, nullptr);
    }
  }

  int descriptor() const override { return bell_.get(); }

 private:
  const Descriptor bell_;
};

class RealThreads final : public Threads {
 public:
  explicit RealThreads(Logger& log) : log_(log) {}

  std::unique_ptr<Thread> Start(const std::string& name, ThreadPriority priority, std::function<void()> body) override {
    CHECK(name.size() <= kThreadNameMax, "a thread's name has 15 characters at most");
    // Signals of the process are the main thread's: a new thread inherits the mask with which it is started.
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    auto thread = std::make_unique<RealThread>(name, priority, std::move(body), log_);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  }

  std::unique_ptr<Signal> NewSignal() override { return std::make_unique<RealSignal>(); }

 private:
  Logger& log_;
};

}  // namespace

std::unique_ptr<Threads> MakeRealThreads(Logger& log) { return std::make_unique<RealThreads>(log); }

}  // namespace sluice::io
