// SPDX-License-Identifier: Apache-2.0
#include "server/loop_priority.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "io/simulated_world.h"

namespace sluice::server {
namespace {

// Cores that are used as the test says.
class GivenCores final : public io::Threads {
 public:
  explicit GivenCores(io::Threads& threads) : threads_(threads) {}
  std::unique_ptr<io::Thread> Start(const std::string& name, io::ThreadPriority priority, std::function<void()> body) override {
    return threads_.Start(name, priority, std::move(body));
  }
  std::unique_ptr<io::Signal> NewSignal() override { return threads_.NewSignal(); }
  void SetPriority(io::ThreadPriority priority) override { given.push_back(priority); }
  io::CoreUse UseOfCores() override { return use; }

  io::CoreUse use{.cores = 2};
  std::vector<io::ThreadPriority> given;

 private:
  io::Threads& threads_;
};

class LoopPriorityTest : public testing::Test {
 protected:
  // A second in which the loop, the rest of its process and other programs used so much of a core each. Whether the loop is real-time then.
  bool After(double loop, double rest, double others) {
    const auto nanos = [](double seconds) { return static_cast<int64_t>(seconds * 1e9); };
    world_.env().clock.SleepUs(kMicrosPerSecond);
    cores_.use.thread_ns += nanos(loop);
    cores_.use.process_ns += nanos(loop + rest);
    cores_.use.machine_ns += nanos(loop + rest + others);
    priority_->Tick();
    return priority_->is_real_time();
  }
  void End() { priority_.reset(); }

  io::SimulatedWorld world_{1};
  GivenCores cores_{world_.env().threads};
  const io::Env env_{world_.env().files, world_.env().objects, world_.env().memory,  world_.env().clock,     world_.env().random,
                     cores_,             world_.env().log,     world_.env().metrics, world_.env().processes, world_.env().network};
  std::optional<LoopPriority> priority_{std::in_place, env_};
};

TEST_F(LoopPriorityTest, OthersMakeTheLoopRealTimeUnlessItIsBusy) {
  EXPECT_FALSE(priority_->is_real_time()) << "nothing is known of them yet";
  EXPECT_FALSE(After(0.1, 0, 0));
  EXPECT_FALSE(After(0.6, 1.0, 0.3)) << "a client on the same cores";
  EXPECT_TRUE(After(0.5, 0.3, 1.2)) << "two that never sleep";
  EXPECT_TRUE(After(0.0, 0.0, 2.0));
  EXPECT_FALSE(After(0.8, 0.3, 0.9)) << "it would take a core for itself";
  EXPECT_TRUE(After(0.7, 0.3, 1.0));
  EXPECT_FALSE(After(0.1, 1.9, 0.0)) << "threads of its own are no others";
  After(0.1, 0, 1);
  End();
  using enum io::ThreadPriority;
  EXPECT_EQ(cores_.given, (std::vector{kPrompt, kRealTime, kPrompt, kRealTime, kPrompt, kRealTime, kNormal}));
}

TEST_F(LoopPriorityTest, ASystemThatDoesNotTellOfOthersHasNone) {
  world_.env().clock.SleepUs(kMicrosPerSecond);
  cores_.use.process_ns = 1'000'000;
  priority_->Tick();
  EXPECT_FALSE(priority_->is_real_time());
}

}  // namespace
}  // namespace sluice::server
