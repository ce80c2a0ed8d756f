// SPDX-License-Identifier: Apache-2.0
#include "io/event_loop.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "io/network_twins.h"

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

class EventLoopTest : public testing::Test {
 protected:
  RealWorld world_{LogLevel::kError};
  HandClock clock_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::Make(world_.env().network, clock_).value();
  // Runs until all that is posted and ready now was served.
  void RunOnce() { RunFor(*loop_); }
  void RunFor(EventLoop& loop) {
    loop.Post([&] { loop.Stop(); });
    ASSERT_TRUE(loop.Run().ok());
  }
};

class EventLoopContract : public NetworkContract {};
INSTANTIATE_TEST_SUITE_P(Twins, EventLoopContract, NetworkTwins(), [](auto& tested) { return NetworkTwinName(tested.param); });

TEST_P(EventLoopContract, ReportsReadinessUntilUnwatched) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    SocketPair pair(env);
    CountingHandler handler([&](Readiness) { loop->Stop(); });
    ASSERT_TRUE(loop->Watch(pair.ours.descriptor(), Interest::kRead, handler).ok());
    ASSERT_EQ(Send(pair.theirs, "x").bytes, 1u);
    ASSERT_TRUE(loop->Run().ok());
    EXPECT_EQ(handler.calls, 1);
    EXPECT_TRUE(handler.last.readable);
    EXPECT_FALSE(handler.last.peer_closed);
    loop->Unwatch(pair.ours.descriptor());
  });
}

TEST_P(EventLoopContract, TellsThatThePeerClosed) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    SocketPair pair(env);
    CountingHandler handler([&](Readiness ready) {
      if (ready.peer_closed) loop->Stop();
    });
    ASSERT_TRUE(loop->Watch(pair.ours.descriptor(), Interest::kReadWriteEdge, handler).ok());
    ShutDownSending(pair.theirs);
    ASSERT_TRUE(loop->Run().ok());
    EXPECT_FALSE(handler.last.failed);
    loop->Unwatch(pair.ours.descriptor());
  });
}

// Goal: an event that waits in the same round does not reach a handler that an earlier one unwatched, not even when the
// descriptor's number was given to another. Method: whichever of two ready handlers comes first takes the other out.
TEST_P(EventLoopContract, DropsEventsOfUnwatchedDescriptors) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    SocketPair a(env), b(env);
    CountingHandler first([&](Readiness) { loop->Unwatch(b.ours.descriptor()); loop->Stop(); });
    CountingHandler second([&](Readiness) { loop->Unwatch(a.ours.descriptor()); loop->Stop(); });
    Send(a.theirs, "x");
    Send(b.theirs, "x");
    AwaitReadable(env, a.ours);
    AwaitReadable(env, b.ours);
    ASSERT_TRUE(loop->Watch(a.ours.descriptor(), Interest::kRead, first).ok());
    ASSERT_TRUE(loop->Watch(b.ours.descriptor(), Interest::kRead, second).ok());
    ASSERT_TRUE(loop->Run().ok());
    EXPECT_EQ(first.calls + second.calls, 1);
    loop->Unwatch(a.ours.descriptor());
    loop->Unwatch(b.ours.descriptor());
  });
}

TEST_P(EventLoopContract, RunsPostedTasksOfOtherThreadsInOrderAndThenTheRoundEnd) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    std::vector<int> seen;
    int rounds_after_last = 0;
    loop->SetRoundEnd([&] { if (seen.size() == 100) ++rounds_after_last; });
    auto thread = env.threads.Start("poster", ThreadPriority::kNormal, [&] {
      EXPECT_FALSE(loop->OnOwnThread());
      for (int i = 0; i < 100; ++i) loop->Post([&, i] { seen.push_back(i); EXPECT_TRUE(loop->OnOwnThread()); });
      loop->Post([&] { loop->Stop(); });
    });
    ASSERT_TRUE(loop->Run().ok());
    thread->Join();
    ASSERT_EQ(seen.size(), 100u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
    EXPECT_GE(rounds_after_last, 1);
  });
}

// What a task holds may be what the next one, or another thread, waits for.
TEST_P(EventLoopContract, LetsGoOfATaskBeforeTheNext) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    auto held = std::make_shared<int>(1);
    long seen = 0;
    loop->Post([held] {});
    loop->Post([&] {
      seen = held.use_count();
      loop->Stop();
    });
    ASSERT_TRUE(loop->Run().ok());
    EXPECT_EQ(seen, 1);
  });
}

TEST_P(EventLoopContract, RunsWhatASignalRings) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    auto signal = env.threads.NewSignal();
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
  });
}

TEST_P(EventLoopContract, WaitsForTimersWithoutAnythingElse) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    Timer timer(*loop, [&] { loop->Stop(); });
    const int64_t before_ns = env.clock.MonotonicNs();
    timer.Arm(3'000);
    ASSERT_TRUE(loop->Run().ok());
    EXPECT_GE(env.clock.MonotonicNs(), before_ns + 3'000'000);
  });
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
  RealWorld world(LogLevel::kError);
  HandClock clock;
  auto loop = EventLoop::Make(world.env().network, clock).value();
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
