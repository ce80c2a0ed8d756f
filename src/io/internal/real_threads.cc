// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <thread>

#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr int kFifoPriority = 1;  // above every normal thread; below whatever else an administrator runs as real-time
constexpr uint64_t kShortestSliceNs = 100'000;
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

// Policy and nice value stay what they are, unless the thread is to have less. Slices count with EEVDF (Linux 6.12): a waking thread preempts
// a running one at once only if its slice is shorter, otherwise it waits for the next tick, 4 ms at 250 Hz; any thread may shorten its own. 0: the
// usual one, which a thread does not have from who started it.
void SetNiceAndSlice(int nice, uint64_t slice_ns) {
  constexpr uint64_t kKeepPolicy = 0x08;  // SCHED_FLAG_KEEP_POLICY
  SchedulerAttributes attributes;
  attributes.flags = kKeepPolicy;
  attributes.nice = nice;
  attributes.runtime_ns = slice_ns;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// Ours, which threads that it starts do not inherit. Without the flag it is the choice of who started the program.
constexpr int kOurRealTime = SCHED_FIFO | SCHED_RESET_ON_FORK;

bool SetPolicy(int policy, int priority) {
  sched_param parameters{};
  parameters.sched_priority = priority;
  return sched_setscheduler(0, policy, &parameters) == 0;
}

// All of it is best effort: without it the process is slower, not wrong.
void ApplyPriority(ThreadPriority priority) {
  const int nice = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  // The flag stays: without privileges it cannot be taken back.
  if (sched_getscheduler(0) == kOurRealTime) SetPolicy(SCHED_OTHER | SCHED_RESET_ON_FORK, 0);
  // Whoever starts the program with another policy, or as a nice one, wants it so.
  const bool is_usual = (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER && nice <= 0;
  if (priority == ThreadPriority::kRealTime && is_usual && SetPolicy(kOurRealTime, kFifoPriority)) return;
  switch (priority) {
    case ThreadPriority::kNormal: return SetNiceAndSlice(nice, 0);
    case ThreadPriority::kBackground: return SetNiceAndSlice(kBackgroundNice, 0);
    case ThreadPriority::kPrompt:
    case ThreadPriority::kRealTime: return SetNiceAndSlice(nice, kShortestSliceNs);
  }
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

constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t NanosOf(clockid_t clock) {
  timespec used;
  clock_gettime(clock, &used);
  return used.tv_sec * kNanosPerSecond + used.tv_nsec;
}

// proc_stat(5): all cores' time for user, nice, system, idle, waiting for disks, interrupts and soft ones, in ticks.
int64_t MachineCpuNs() {
  const Descriptor file(open("/proc/stat", O_RDONLY | O_CLOEXEC));
  char text[256] = {};
  if (!file.valid() || read(file.get(), text, sizeof text - 1) <= 0) return 0;
  long long user = 0, nice = 0, system = 0, idle = 0, disks = 0, interrupts = 0, soft = 0;
  if (std::sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle, &disks, &interrupts, &soft) != 7) return 0;
  return (user + nice + system + interrupts + soft) * (kNanosPerSecond / sysconf(_SC_CLK_TCK));
}

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

  void SetPriority(ThreadPriority priority) override { ApplyPriority(priority); }

  CoreUse UseOfCores() override {
    return {NanosOf(CLOCK_THREAD_CPUTIME_ID), NanosOf(CLOCK_PROCESS_CPUTIME_ID), MachineCpuNs(), static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN))};
  }

  std::unique_ptr<Signal> NewSignal() override { return std::make_unique<RealSignal>(); }

 private:
  Logger& log_;
};

}  // namespace

std::unique_ptr<Threads> MakeRealThreads(Logger& log) { return std::make_unique<RealThreads>(log); }

}  // namespace sluice::io
