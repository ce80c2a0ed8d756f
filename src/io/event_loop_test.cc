// SPDX-License-Identifier: Apache-2.0
#include "io/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <random>

#include "io/env.h"
#include "io/sockets.h"

namespace sluice::io {
namespace {

// Moves only when the test says so.
class HandClock : public Clock {
 public:
  Timestamp Now() override { return {ns / 1000}; }
  int64_t MonotonicNs() override { return ns; }
  void SleepUs(int64_t us) override { ns += us * 1000; }
  int64_t ns = 1'000'000;
};

class CountingHandler : public EventHandler {
 public:
  explicit CountingHandler(std::function<void(Readiness)> body = nullptr) : body_(std::move(body)) {}
  void OnReady(Readiness ready) override {
    ++calls;
    last = ready;
    if (body_) body_(ready);
  }
  int calls = 0;
  Readiness last;

 private:
  std::function<void(Readiness)> body_;
};

struct SocketPair {
  SocketPair() {
    int both[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
    ours = Socket(both[0]);
    theirs = Socket(both[1]);
  }
  Socket ours, theirs;
};

class EventLoopTest : public testing::Test {
 protected:
  HandClock clock_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::Make(clock_).value();
  // Runs until all that is posted and ready now was served.
  void RunOnce() { RunFor(*loop_); }
  void RunFor(EventLoop& loop) {
    loop.Post([&] { loop.Stop(); });
    ASSERT_TRUE(loop.Run().ok());
  }
};

TEST_F(EventLoopTest, ReportsReadinessUntilUnwatched) {
  SocketPair pair;
  CountingHandler handler([&](Readiness) { loop_->Stop(); });
  ASSERT_TRUE(loop_->Watch(pair.ours.descriptor(), Interest::kRead, handler).ok());
  ASSERT_EQ(Send(pair.theirs, "x").bytes, 1u);
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(handler.calls, 1);
  EXPECT_TRUE(handler.last.readable);
  EXPECT_FALSE(handler.last.peer_closed);
  loop_->Unwatch(pair.ours.descriptor());
}

TEST_F(EventLoopTest, TellsThatThePeerClosed) {
  SocketPair pair;
  CountingHandler handler([&](Readiness) { loop_->Stop(); });
  ASSERT_TRUE(loop_->Watch(pair.ours.descriptor(), Interest::kReadWriteEdge, handler).ok());
  ShutDownSending(pair.theirs);
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_TRUE(handler.last.peer_closed);
  EXPECT_FALSE(handler.last.failed);
  loop_->Unwatch(pair.ours.descriptor());
}

// Goal: an event that waits in the same round does not reach a handler that an earlier one unwatched, not even when the
// descriptor's number was given to another. Method: whichever of two ready handlers comes first takes the other out.
TEST_F(EventLoopTest, DropsEventsOfUnwatchedDescriptors) {
  SocketPair a, b;
  std::map<int, CountingHandler*> others;
  CountingHandler first([&](Readiness) { loop_->Unwatch(b.ours.descriptor()); loop_->Stop(); });
  CountingHandler second([&](Readiness) { loop_->Unwatch(a.ours.descriptor()); loop_->Stop(); });
  ASSERT_TRUE(loop_->Watch(a.ours.descriptor(), Interest::kRead, first).ok());
  ASSERT_TRUE(loop_->Watch(b.ours.descriptor(), Interest::kRead, second).ok());
  Send(a.theirs, "x");
  Send(b.theirs, "x");
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(first.calls + second.calls, 1);
  loop_->Unwatch(a.ours.descriptor());
  loop_->Unwatch(b.ours.descriptor());
}

TEST(EventLoop, RunsPostedTasksOfOtherThreadsInOrderAndThenTheRoundEnd) {
  RealWorld world(LogLevel::kError);
  auto loop = EventLoop::Make(world.env().clock).value();
  std::vector<int> seen;
  int rounds_after_last = 0;
  loop->SetRoundEnd([&] { if (seen.size() == 100) ++rounds_after_last; });
  auto thread = world.env().threads.Start("poster", ThreadPriority::kNormal, [&] {
    EXPECT_FALSE(loop->OnOwnThread());
    for (int i = 0; i < 100; ++i) loop->Post([&, i] { seen.push_back(i); EXPECT_TRUE(loop->OnOwnThread()); });
    loop->Post([&] { loop->Stop(); });
  });
  ASSERT_TRUE(loop->Run().ok());
  thread->Join();
  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  EXPECT_GE(rounds_after_last, 1);
}

TEST(EventLoop, RunsWhatASignalRings) {
  RealWorld world(LogLevel::kError);
  auto loop = EventLoop::Make(world.env().clock).value();
  auto signal = world.env().threads.NewSignal();
  int rings = 0;
  ASSERT_TRUE(loop->WatchSignal(*signal, [&] {
    if (++rings == 2) loop->Stop();
    else signal->Notify();
  }).ok());
  signal->Notify();
  ASSERT_TRUE(loop->Run().ok());
  EXPECT_EQ(rings, 2);
  EXPECT_FALSE(signal->Wait(0));  // cleared before each call
  loop->UnwatchSignal(*signal);
}

TEST_F(EventLoopTest, StopBeforeRunReturnsAtOnce) {
  loop_->Stop();
  EXPECT_TRUE(loop_->Run().ok());
}

TEST_F(EventLoopTest, DropsTasksThatWereNotRun) {
  auto held = std::make_shared<int>(1);
  loop_->Post([held] { ADD_FAILURE() << "the loop does not run"; });
  EXPECT_EQ(held.use_count(), 2);
  loop_.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(EventLoopTest, RunsTimersWhenTheyAreDue) {
  std::vector<int> fired;
  Timer early(*loop_, [&] { fired.push_back(1); });
  Timer late(*loop_, [&] { fired.push_back(2); });
  Timer cancelled(*loop_, [&] { fired.push_back(3); });
  late.Arm(20);
  early.Arm(10);
  cancelled.Arm(5);
  cancelled.Cancel();
  EXPECT_FALSE(cancelled.armed());
  clock_.ns += 10'000;
  RunOnce();
  EXPECT_EQ(fired, std::vector<int>({1}));
  EXPECT_FALSE(early.armed());
  EXPECT_TRUE(late.armed());
}

// Goal: the heap keeps its order under every mix of calls. Method: random calls against a map.
TEST(TimerHeap, EqualsAMap) {
  HandClock clock;
  auto loop = EventLoop::Make(clock).value();
  TimerHeap heap;
  std::mt19937 random(1);
  std::vector<std::unique_ptr<Timer>> timers;
  std::map<int, int64_t> model;
  std::vector<int> fired;
  for (int i = 0; i < 50; ++i) timers.push_back(std::make_unique<Timer>(*loop, [&fired, i] { fired.push_back(i); }));
  for (int64_t now = 0; now < 5000; ++now) {
    int i = static_cast<int>(random() % 50);
    if (random() % 4 == 0) {
      heap.Remove(*timers[static_cast<size_t>(i)]);
      model.erase(i);
    } else {
      int64_t due = now + static_cast<int64_t>(random() % 100);
      heap.Set(*timers[static_cast<size_t>(i)], due);
      model[i] = due;
    }
    fired.clear();
    heap.RunDue(now);
    for (int id : fired) {
      ASSERT_LE(model.at(id), now);
      model.erase(id);
    }
    for (const auto& [id, due] : model) ASSERT_GT(due, now);
    ASSERT_EQ(heap.empty(), model.empty());
  }
  for (auto& timer : timers) heap.Remove(*timer);
}

}  // namespace
}  // namespace sluice::io
