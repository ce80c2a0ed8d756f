// SPDX-License-Identifier: Apache-2.0
#include "io/bounded_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/simulated_world.h"

namespace sluice::io {
namespace {

TEST(BoundedQueue, TakesItsBoundAndNotOneMore) {
  RealWorld world(LogLevel::kError);
  BoundedQueue<std::string> queue(world.env().threads, 2);
  EXPECT_TRUE(queue.TryPush("a"));
  EXPECT_TRUE(queue.TryPush("b"));
  std::string third = "c";
  EXPECT_FALSE(queue.TryPush(std::move(third)));
  EXPECT_EQ(third, "c") << "a refused item is untouched";
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.Pop(0), "a");
  EXPECT_TRUE(queue.TryPush(std::move(third)));
  EXPECT_EQ(queue.Pop(0), "b");
  EXPECT_EQ(queue.Pop(0), "c");
}

TEST(BoundedQueue, PopOfAnEmptyQueueTimesOut) {
  RealWorld world(LogLevel::kError);
  BoundedQueue<int> queue(world.env().threads, 1);
  EXPECT_EQ(queue.Pop(0), std::nullopt);
  EXPECT_EQ(queue.Pop(1), std::nullopt);
}

TEST(BoundedQueue, PopWaitsItsTimeAfterAnItemThatNeededNoWait) {
  SimulatedWorld world(1);
  world.Run([&] {
    Env env = world.env();
    BoundedQueue<int> queue(env.threads, 1);
    EXPECT_TRUE(queue.TryPush(1));
    EXPECT_EQ(queue.Pop(1000), 1);
    int64_t before = env.clock.MonotonicNs();
    EXPECT_EQ(queue.Pop(1000), std::nullopt);
    EXPECT_EQ(env.clock.MonotonicNs() - before, 1'000'000);
  });
}

TEST(BoundedQueue, ClosedTakesNothingAndGivesWhatItHas) {
  RealWorld world(LogLevel::kError);
  BoundedQueue<int> queue(world.env().threads, 2);
  EXPECT_TRUE(queue.TryPush(1));
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

// Goal: no item is lost or doubled and the consumer ends, in every interleaving. Method: two producers, one consumer, many seeds.
TEST(BoundedQueue, PassesEveryItemOnceInEveryInterleaving) {
  for (uint64_t seed = 0; seed < 100; seed++) {
    SimulatedWorld world(seed);
    std::vector<int> popped;
    int refused = 0;
    auto result = world.Run([&] {
      Env env = world.env();
      BoundedQueue<int> queue(env.threads, 3);
      auto produce = [&](int first) {
        return [&, first] {
          for (int i = first; i < first + 10; i++) {
            refused += !queue.TryPush(int(i));
            env.clock.SleepUs(1);
          }
        };
      };
      auto consumer = env.threads.Start("consumer", ThreadPriority::kNormal, [&] {
        while (auto item = queue.Pop()) popped.push_back(*item);
      });
      auto a = env.threads.Start("a", ThreadPriority::kNormal, produce(0)), b = env.threads.Start("b", ThreadPriority::kNormal, produce(100));
      a->Join();
      b->Join();
      queue.Close();
      consumer->Join();
    });
    ASSERT_TRUE(result.finished()) << result.report;
    EXPECT_EQ(popped.size() + static_cast<size_t>(refused), 20u);
    std::sort(popped.begin(), popped.end());
    EXPECT_EQ(std::adjacent_find(popped.begin(), popped.end()), popped.end());
  }
}

}  // namespace
}  // namespace sluice::io
