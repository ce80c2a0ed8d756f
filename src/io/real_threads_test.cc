// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "io/env.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

class RealThreadsTest : public testing::Test {
 protected:
  // Death tests here start threads, which a forked copy of a process with threads may not.
  RealThreadsTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  RealWorld world_{LogLevel::kError};
  Threads& threads_ = world_.env().threads;
};

TEST_F(RealThreadsTest, ThreadHasItsName) {
  char name[16] = {};
  auto thread = threads_.Start("journal-writer-", ThreadPriority::kNormal, [&] { pthread_getname_np(pthread_self(), name, sizeof name); });
  thread->Join();
  EXPECT_STREQ(name, "journal-writer-");
}

TEST_F(RealThreadsTest, NameIsBounded) {
  EXPECT_DEATH(threads_.Start("sixteen-letters-", ThreadPriority::kNormal, [] {}), "15 characters");
}

TEST_F(RealThreadsTest, BackgroundThreadIsNiceAndOthersAreNot) {
  int background = 0, normal = 0;
  auto nice_of = [](int& to) { return [&to] { to = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }; };
  threads_.Start("a", ThreadPriority::kBackground, nice_of(background))->Join();
  threads_.Start("b", ThreadPriority::kNormal, nice_of(normal))->Join();
  EXPECT_EQ(background, 19);
  EXPECT_EQ(normal, getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())));
}

// The slice of the calling thread in nanoseconds; 0: this kernel (before Linux 6.12) has none of its own for each thread.
uint64_t SliceNs() {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    uint32_t nice, priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
  } attributes{};
  syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0);
  return attributes.runtime_ns;
}

TEST_F(RealThreadsTest, APromptThreadHasShortSlicesAndThoseThatItStartsHaveNot) {
  const uint64_t usual = SliceNs();
  uint64_t prompt = 0, started = 0;
  int niceness = 0;
  threads_
      .Start("a", ThreadPriority::kNormal,
             [&] {
               threads_.SetPriority(ThreadPriority::kPrompt);
               prompt = SliceNs();
               niceness = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
               threads_.Start("b", ThreadPriority::kNormal, [&] { started = SliceNs(); })->Join();
             })
      ->Join();
  if (usual == 0) EXPECT_EQ(prompt, 0u);
  else EXPECT_LT(prompt, usual);
  EXPECT_EQ(started, usual);
  EXPECT_EQ(niceness, getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())));
}

int PolicyOfThisThread() { return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK; }

TEST_F(RealThreadsTest, LogThreadIsRealTimeWhereAllowed) {
  rlimit limit{};
  getrlimit(RLIMIT_RTPRIO, &limit);
  int policy = -1;
  threads_.Start("log", ThreadPriority::kRealTime, [&] { policy = PolicyOfThisThread(); })->Join();
  if (limit.rlim_cur >= 1 && PolicyOfThisThread() == SCHED_OTHER) EXPECT_EQ(policy, SCHED_FIFO);
  else EXPECT_TRUE(policy == SCHED_FIFO || policy == PolicyOfThisThread());
}

// Goal: who was real-time can be so no longer, and again; threads that it starts are not.
TEST_F(RealThreadsTest, RealTimeIsGivenBack) {
  const int usual = PolicyOfThisThread();
  int once = -1, started = -1, then = -1, again = -1;
  threads_
      .Start("log", ThreadPriority::kRealTime,
             [&] {
               once = PolicyOfThisThread();
               threads_.Start("b", ThreadPriority::kNormal, [&] { started = PolicyOfThisThread(); })->Join();
               threads_.SetPriority(ThreadPriority::kPrompt);
               then = PolicyOfThisThread();
               threads_.SetPriority(ThreadPriority::kRealTime);
               again = PolicyOfThisThread();
             })
      ->Join();
  EXPECT_EQ(started, usual);
  EXPECT_EQ(then, usual);
  EXPECT_EQ(again, once);
}

// Found by rereading: the choice of who started the program as real-time was taken for ours, and given back.
TEST_F(RealThreadsTest, WhoWasStartedAsRealTimeStaysSo) {
  int chosen = -1, started = -1, prompt = -1;
  std::thread([&] {
    sched_param parameters{};
    parameters.sched_priority = 1;
    sched_setscheduler(0, SCHED_FIFO, &parameters);  // where that is not allowed nothing is to stay but what there was
    chosen = sched_getscheduler(0);
    threads_.Start("a", ThreadPriority::kNormal, [&] {
      started = sched_getscheduler(0);
      threads_.SetPriority(ThreadPriority::kPrompt);
      prompt = sched_getscheduler(0);
    })->Join();
  }).join();
  EXPECT_EQ(started, chosen);
  EXPECT_EQ(prompt, chosen);
}

TEST_F(RealThreadsTest, WhoWasStartedAsNiceIsNeverRealTime) {
  int policy = -1, niceness = 0;
  std::thread([&] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 5);
    threads_.Start("log", ThreadPriority::kRealTime, [&] {
      policy = PolicyOfThisThread();
      niceness = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
    })->Join();
  }).join();
  EXPECT_EQ(policy, PolicyOfThisThread());
  EXPECT_EQ(niceness, std::max(5, getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()))));
}

// Method: a thread works until its own clock has moved; what it used is a part of what the process did, and that a part of all.
TEST_F(RealThreadsTest, TellsWhatIsUsedOfTheCores) {
  CoreUse before, after;
  threads_
      .Start("a", ThreadPriority::kNormal,
             [&] {
               constexpr int64_t kNanos = 100'000'000;
               before = after = threads_.UseOfCores();
               while (after.thread_ns < before.thread_ns + kNanos || after.machine_ns == before.machine_ns) after = threads_.UseOfCores();
             })
      ->Join();
  EXPECT_GE(after.cores, 1);
  for (const auto& use : {before, after}) EXPECT_GE(use.process_ns, use.thread_ns) << "the thread's is looked at first";
  EXPECT_GT(after.process_ns, before.process_ns);
  EXPECT_GE(after.machine_ns, before.machine_ns);
}

TEST_F(RealThreadsTest, SignalsOfTheProcessAreLeftToTheMainThread) {
  sigset_t mask;
  threads_.Start("t", ThreadPriority::kNormal, [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); })->Join();
  EXPECT_TRUE(sigismember(&mask, SIGTERM));
  EXPECT_TRUE(sigismember(&mask, SIGINT));
  EXPECT_FALSE(sigismember(&mask, SIGSEGV));
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_FALSE(sigismember(&mask, SIGTERM));
}

TEST_F(RealThreadsTest, UnjoinedThreadIsAProgrammersError) {
  EXPECT_DEATH(threads_.Start("t", ThreadPriority::kNormal, [] {}).reset(), "not joined");
}

TEST_F(RealThreadsTest, ExceptionThatLeavesAThreadAborts) {
  EXPECT_DEATH(threads_.Start("t", ThreadPriority::kNormal, [] { throw std::runtime_error("lost"); })->Join(), "exception left a thread thread=t what=lost");
}

TEST_F(RealThreadsTest, NotifyBeforeWaitIsNotLostAndSeveralAreOne) {
  auto bell = threads_.NewSignal();
  bell->Notify();
  bell->Notify();
  EXPECT_TRUE(bell->Wait());
  EXPECT_FALSE(bell->Wait(0));
  EXPECT_FALSE(bell->Wait(1));
}

TEST_F(RealThreadsTest, BellWakesAWaitingThread) {
  auto ping = threads_.NewSignal(), pong = threads_.NewSignal();
  int rounds = 0;
  auto thread = threads_.Start("pong", ThreadPriority::kNormal, [&] {
    for (int i = 0; i < 100; i++) {
      ping->Wait();
      rounds++;
      pong->Notify();
    }
  });
  for (int i = 0; i < 100; i++) {
    ping->Notify();
    EXPECT_TRUE(pong->Wait(60 * kMicrosPerSecond));
  }
  thread->Join();
  EXPECT_EQ(rounds, 100);
}

TEST_F(RealThreadsTest, BellsDescriptorIsReadableWhileItIsRung) {
  auto bell = threads_.NewSignal();
  auto readable = [&] { pollfd p{bell->descriptor(), POLLIN, 0}; return poll(&p, 1, 0) == 1; };
  EXPECT_FALSE(readable());
  bell->Notify();
  EXPECT_TRUE(readable());
  bell->Wait();
  EXPECT_FALSE(readable());
}

TEST(RealClock, SleepTakesAtLeastItsTime) {
  auto clock = MakeRealClock();
  int64_t before = clock->MonotonicNs();
  clock->SleepUs(2'000);
  EXPECT_GE(clock->MonotonicNs() - before, 2'000'000);
  EXPECT_GT(clock->Now(), Timestamp{1'700'000'000 * kMicrosPerSecond});
}

TEST(RealRandom, NumbersAndUuidsDiffer) {
  auto random = MakeRealRandom();
  std::set<uint64_t> numbers;
  for (int i = 0; i < 1000; i++) numbers.insert(random->Next64());
  EXPECT_EQ(numbers.size(), 1000u);
  auto uuid = random->NextUuid();
  EXPECT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(uuid, random->NextUuid());
}

}  // namespace
}  // namespace sluice::io
