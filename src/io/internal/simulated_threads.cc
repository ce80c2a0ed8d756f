// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulation.h"

namespace sluice::io {
namespace {

constexpr int64_t kNanosPerMicro = 1'000;

class SimulatedThread final : public Thread {
 public:
  SimulatedThread(SimulatedScheduler& scheduler, SimulatedScheduler::ActorPtr actor) : scheduler_(scheduler), actor_(std::move(actor)) {}
  ~SimulatedThread() override {
    if (joined_ || actor_ == nullptr) return;
    // An actor that dies in the middle of something joins nobody; its children must still not outlive what they use.
    CHECK(actor_->doomed || scheduler_.IsDoomed(actor_->process), "a thread was not joined");
    scheduler_.AwaitEnd(*actor_);
  }
  void Join() override {
    if (actor_ != nullptr) scheduler_.AwaitEnd(*actor_);
    joined_ = true;
  }

 private:
  SimulatedScheduler& scheduler_;
  const SimulatedScheduler::ActorPtr actor_;  // null: started by a dead one that was unwinding
  bool joined_ = false;
};

class SimulatedSignal final : public Signal, private SimulatedPollable {
 public:
  explicit SimulatedSignal(Simulation& simulation) : scheduler_(simulation.scheduler), sockets_(simulation.sockets) {}
  ~SimulatedSignal() override {
    if (descriptor_ >= 0) sockets_.Drop(descriptor_);
  }

  void Notify() override {
    if (!rung_) rings_++;
    rung_ = true;
    Changed();
    if (waiter_ != nullptr) scheduler_.Wake(*waiter_);
  }

  bool Wait(int64_t timeout_us) override {
    if (scheduler_.Self() == nullptr) return WaitOutside(timeout_us);
    scheduler_.ThrowIfDoomed();
    CHECK(waiter_ == nullptr, "two threads wait for one signal");
    if (rung_) {
      scheduler_.Yield("wait", 1, 0);
    } else {
      waiter_ = scheduler_.Self();
      scheduler_.Block("wait for a signal", timeout_us < 0 ? -1 : timeout_us * kNanosPerMicro);
      waiter_ = nullptr;
    }
    // A dead one that is unwinding is told what ends its wait.
    bool dead = scheduler_.ThrowIfDoomed();
    return std::exchange(rung_, false) || (dead && timeout_us < 0);
  }

  int descriptor() const override {
    if (descriptor_ < 0) descriptor_ = sockets_.Number(const_cast<SimulatedSignal&>(*this));
    return descriptor_;
  }

 private:
  State At(int64_t) const override { return {.ready = {.readable = rung_}, .changes = rings_}; }

  bool WaitOutside(int64_t timeout_us) {
    CHECK(rung_ || timeout_us >= 0, "waiting for a signal outside of a simulated run");
    if (!rung_) scheduler_.Advance(timeout_us * kNanosPerMicro);
    return std::exchange(rung_, false);
  }

  SimulatedScheduler& scheduler_;
  SimulatedSockets& sockets_;
  SimulatedScheduler::Actor* waiter_ = nullptr;
  bool rung_ = false;
  uint64_t rings_ = 0;
  mutable int descriptor_ = -1;  // numbered when a loop asks for it
};

class SimulatedThreads final : public Threads {
 public:
  explicit SimulatedThreads(IoGate& gate) : gate_(gate), scheduler_(gate.simulation().scheduler) {}

  std::unique_ptr<Thread> Start(const std::string& name, ThreadPriority, std::function<void()> body) override {
    CHECK(name.size() <= kThreadNameMax, "a thread's name has 15 characters at most");
    CHECK(scheduler_.Self() != nullptr, "threads start inside of SimulatedWorld::Run");
    scheduler_.ThrowIfDoomed();
    scheduler_.Yield("start " + name, 0, 0);
    if (scheduler_.ThrowIfDoomed()) return std::make_unique<SimulatedThread>(scheduler_, nullptr);
    return std::make_unique<SimulatedThread>(scheduler_, scheduler_.Start(name, gate_.process(), std::move(body)));
  }

  void SetPriority(ThreadPriority) override {}  // the seed decides who runs
  CoreUse UseOfCores() override { return {}; }

  std::unique_ptr<Signal> NewSignal() override { return std::make_unique<SimulatedSignal>(gate_.simulation()); }

 private:
  IoGate& gate_;
  SimulatedScheduler& scheduler_;
};

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(IoGate& gate) : simulation_(gate.simulation()) {}

  Timestamp Now() override {
    return Timestamp{simulation_.options.start.us + simulation_.wall_jump_us + simulation_.scheduler.now_ns() / kNanosPerMicro};
  }
  int64_t MonotonicNs() override { return simulation_.scheduler.now_ns(); }
  void SleepUs(int64_t us) override {
    auto& scheduler = simulation_.scheduler;
    const int64_t ns = us > 0 ? us * kNanosPerMicro : 0;
    if (scheduler.Self() == nullptr) return scheduler.Advance(ns);
    scheduler.ThrowIfDoomed();
    scheduler.Block("sleep", ns);
    scheduler.ThrowIfDoomed();
  }

 private:
  Simulation& simulation_;
};

}  // namespace

std::unique_ptr<Threads> MakeSimulatedThreads(IoGate& gate) { return std::make_unique<SimulatedThreads>(gate); }
std::unique_ptr<Clock> MakeSimulatedClock(IoGate& gate) { return std::make_unique<SimulatedClock>(gate); }

}  // namespace sluice::io
