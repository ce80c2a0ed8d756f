// SPDX-License-Identifier: Apache-2.0
#include "tier/writing_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/env.h"

namespace sluice::tier {
namespace {

TEST(WritingTurns, NeverMoreAtOnceThanAgreed) {
  io::RealWorld world(io::LogLevel::kError);
  WritingTurns turns(world.env().threads, 2);
  std::atomic<int> writing{0}, most{0}, done{0};
  std::vector<std::unique_ptr<io::Thread>> threads;
  for (int t = 0; t < 8; t++) {
    threads.push_back(world.env().threads.Start("writer-" + std::to_string(t), io::ThreadPriority::kNormal, [&] {
      for (int i = 0; i < 200; i++) {
        const auto turn = turns.Take();
        const int now = ++writing;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
        done++;
        writing--;
      }
    }));
  }
  for (auto& thread : threads) thread->Join();
  EXPECT_EQ(done, 1600);
  EXPECT_LE(most, 2);
  EXPECT_EQ(turns.waiting(), 0u);
  const auto one = turns.Take(), other = turns.Take();  // all of them came back
}

TEST(WritingTurns, BeginInTheOrderOfAsking) {
  io::RealWorld world(io::LogLevel::kError);
  WritingTurns turns(world.env().threads, 1);
  std::optional<WritingTurns::Turn> first(turns.Take());
  std::vector<int> order;  // written by whose turn it is
  std::vector<std::unique_ptr<io::Thread>> threads;
  for (int t = 0; t < 4; t++) {
    threads.push_back(world.env().threads.Start("writer-" + std::to_string(t), io::ThreadPriority::kNormal, [&, t] {
      const auto turn = turns.Take();
      order.push_back(t);
    }));
    while (turns.waiting() < static_cast<size_t>(t) + 1) std::this_thread::yield();
  }
  EXPECT_TRUE(order.empty());
  first.reset();
  for (auto& thread : threads) thread->Join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace sluice::tier
