// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulated_scheduler.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/check.h"

namespace sluice::io {
namespace {

constexpr const char* kStateNames[] = {"ready", "running", "blocked", "ended"};

uint64_t MixBytes(uint64_t hash, std::string_view bytes) {
  // FNV-1a, 64 bits.
  for (unsigned char c : bytes) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}
uint64_t Mix(uint64_t hash, uint64_t value) { return SeededRandom(hash ^ value).Next(); }

// A dead actor whose destructors wait for something that will not come.
constexpr int kUnwindingWaitsMax = 100'000;

}  // namespace

SimulatedScheduler::SimulatedScheduler(uint64_t seed, const SimulationOptions& options) : options_(options), random_(seed) {}

SimulatedScheduler::~SimulatedScheduler() {
  CHECK(!active_, "a simulated world was destroyed while it ran");
  CHECK(actors_.empty(), "a simulated world was destroyed with actors that never ran");
}

SimulatedScheduler::ActorPtr SimulatedScheduler::Start(std::string name, ProcessId process, std::function<void()> body) {
  std::lock_guard lock(mutex_);
  std::erase_if(actors_, [](const ActorPtr& ended) {
    if (ended->state != Actor::State::kEnded) return false;
    ended->fiber = nullptr;
    return true;
  });
  auto actor = actors_.emplace_back(std::make_shared<Actor>());
  actor->name = std::move(name);
  actor->process = process;
  actor->number = next_number_++;
  actor->doing = "about to start";
  actor->fiber = std::make_unique<Fiber>([this, &self = *actor, body = std::move(body)]() mutable { RunBody(self, body); });
  return actor;
}

void SimulatedScheduler::RunBody(Actor& self, std::function<void()>& body) {
  try {
    if (!self.doomed) body();
  } catch (const SimulatedCrash&) {
    // The end of a dead actor.
  } catch (const std::exception& e) {
    std::fprintf(stderr, "exception left the simulated thread %s: %s\n", self.name.c_str(), e.what());
    std::abort();
  }
  body = nullptr;  // what it holds may use io when it goes: that needs the baton
  std::unique_lock lock(mutex_);
  self.state = Actor::State::kEnded;
  Trace("end", self.number);
  for (auto& actor : actors_)
    if (actor->state == Actor::State::kBlocked && actor->doing == "join " + self.name) {
      actor->state = Actor::State::kReady;
      actor->woken = true;
    }
  running_ = PickLocked();
  lock.unlock();
  self.fiber->EndBySwitchTo(running_ != nullptr ? *running_->fiber : *outside_);
}

SimulatedScheduler::Actor* SimulatedScheduler::Self() const {
  std::lock_guard lock(mutex_);
  if (!active_) return nullptr;
  CHECK(running_ != nullptr && runner_ == std::this_thread::get_id(), "a thread that the simulator does not know called io");
  return running_;
}

void SimulatedScheduler::Trace(std::string_view what, uint64_t detail) {
  trace_hash_ = Mix(Mix(MixBytes(trace_hash_, what), detail), static_cast<uint64_t>(now_ns_));
}

// The next holder of the baton; null: all ended.
SimulatedScheduler::Actor* SimulatedScheduler::PickLocked() {
  if (++steps_ == options_.steps_max) StopLocked(SimulationOutcome::kEndless, "no end after " + std::to_string(steps_) + " steps");
  if (steps_ == 2 * options_.steps_max) AbortLocked("dead actors do not end");
  for (;;) {
    WakeTimersLocked();
    std::vector<Actor*> ready;
    bool all_ended = true;
    int64_t next_ns = -1;
    for (auto& actor : actors_) {
      all_ended = all_ended && actor->state == Actor::State::kEnded;
      const int64_t thaws_at_ns = ThawsAtLocked(*actor);
      const bool frozen = thaws_at_ns > now_ns_;
      if (actor->state == Actor::State::kReady && !frozen) ready.push_back(actor.get());
      int64_t wake_at_ns = -1;
      if (actor->state == Actor::State::kReady && frozen) wake_at_ns = thaws_at_ns;
      if (actor->state == Actor::State::kBlocked) wake_at_ns = actor->wake_at_ns;
      if (wake_at_ns >= 0 && (next_ns < 0 || wake_at_ns < next_ns)) next_ns = wake_at_ns;
    }
    if (!ready.empty()) {
      Actor* next = ready[random_.Below(ready.size())];
      next->state = Actor::State::kRunning;
      return next;
    }
    if (all_ended) return nullptr;
    if (next_ns >= 0) now_ns_ = std::max(now_ns_, next_ns);
    else StopLocked(SimulationOutcome::kDeadlock, "every actor waits and none for a time");
  }
}

int64_t SimulatedScheduler::ThawsAtLocked(const Actor& actor) const {
  auto at = frozen_until_ns_.find(actor.process);
  return at == frozen_until_ns_.end() || actor.doomed ? -1 : at->second;
}

void SimulatedScheduler::WakeTimersLocked() {
  for (auto& actor : actors_)
    if (actor->state == Actor::State::kBlocked && actor->wake_at_ns >= 0 && actor->wake_at_ns <= now_ns_)
      actor->state = Actor::State::kReady;
}

// Ends a run that does not end by itself: everybody dies.
void SimulatedScheduler::StopLocked(SimulationOutcome outcome, const std::string& why) {
  std::string report = why + "\n" + DescribeLocked();
  result_ = {outcome, report};
  for (auto& actor : actors_) {
    if (actor->state == Actor::State::kEnded) continue;
    actor->doomed = true;
    if (actor->state == Actor::State::kBlocked) actor->state = Actor::State::kReady;
    if (doomed_.size() <= actor->process) doomed_.resize(actor->process + 1);
    doomed_[actor->process] = true;
  }
}

std::string SimulatedScheduler::DescribeLocked() const {
  std::string text;
  for (auto& actor : actors_) {
    if (actor->state == Actor::State::kEnded) continue;
    text += "  " + actor->name + " (process " + std::to_string(actor->process) + "): " + kStateNames[static_cast<size_t>(actor->state)] +
            (actor->doomed ? ", dead" : "") + ", " + actor->doing + "\n";
  }
  return text;
}

void SimulatedScheduler::AbortLocked(const std::string& why) const {
  std::fputs((why + "\n" + DescribeLocked()).c_str(), stderr);
  std::abort();
}

// Gives the baton to whoever is picked, and waits for it to come back.
void SimulatedScheduler::Switch(std::unique_lock<std::mutex>& lock, Actor& self) {
  running_ = PickLocked();
  if (running_ == &self) return;
  lock.unlock();
  self.fiber->SwitchTo(*running_->fiber);
  lock.lock();
}

void SimulatedScheduler::Yield(std::string_view doing, uint64_t detail, int64_t cost_ns) {
  Actor* self = Self();
  if (self == nullptr) return Advance(cost_ns);
  std::unique_lock lock(mutex_);
  self->doing = doing;
  self->state = Actor::State::kReady;
  now_ns_ += cost_ns;
  Switch(lock, *self);
  Trace(doing, Mix(self->number, detail));
}

bool SimulatedScheduler::Block(std::string_view doing, int64_t timeout_ns) {
  Actor* self = Self();
  CHECK(self != nullptr, "waiting outside of a simulated run");
  std::unique_lock lock(mutex_);
  self->doing = doing;
  self->woken = false;
  // A dead one that still waits, in a destructor, must not wait for those who will not come; it only lets others run.
  self->state = self->doomed ? Actor::State::kReady : Actor::State::kBlocked;
  self->wake_at_ns = timeout_ns < 0 ? -1 : now_ns_ + timeout_ns;
  Switch(lock, *self);
  self->wake_at_ns = -1;
  Trace(doing, Mix(self->number, self->woken ? 1 : 0));
  return self->woken;
}

void SimulatedScheduler::Wake(Actor& actor) {
  std::lock_guard lock(mutex_);
  if (actor.state != Actor::State::kBlocked) return;
  actor.state = Actor::State::kReady;
  actor.woken = true;
}

void SimulatedScheduler::AwaitEnd(Actor& actor) {
  for (int waits = 0;; waits++) {
    {
      std::lock_guard lock(mutex_);
      if (actor.state == Actor::State::kEnded) return;
    }
    CHECK(waits < kUnwindingWaitsMax, "a simulated thread does not end after its process died");
    Block("join " + actor.name, -1);
  }
}

void SimulatedScheduler::Doom(ProcessId process) {
  std::lock_guard lock(mutex_);
  if (doomed_.size() <= process) doomed_.resize(process + 1);
  doomed_[process] = true;
  Trace("doom", process);
  for (auto& actor : actors_) {
    if (actor->process != process || actor->state == Actor::State::kEnded) continue;
    actor->doomed = true;
    if (actor->state == Actor::State::kBlocked) actor->state = Actor::State::kReady;
    if (result_.outcome == SimulationOutcome::kFinished) result_.outcome = SimulationOutcome::kCrashed;
  }
}

bool SimulatedScheduler::IsDoomed(ProcessId process) const {
  std::lock_guard lock(mutex_);
  return process < doomed_.size() && doomed_[process];
}

void SimulatedScheduler::Freeze(ProcessId process, int64_t ns) {
  std::lock_guard lock(mutex_);
  frozen_until_ns_[process] = now_ns_ + ns;
  Trace("freeze", process);
}

bool SimulatedScheduler::ThrowIfDoomed() {
  Actor* self = Self();
  if (self == nullptr || !self->doomed) return false;
  if (std::uncaught_exceptions() == 0) throw SimulatedCrash();
  return true;
}

// Ends the program when the running actor blocks on something that is not of this world.
void SimulatedScheduler::Watch() {
  std::unique_lock lock(mutex_);
  const auto stall = std::chrono::seconds(options_.stall_seconds_max);
  for (uint64_t seen = steps_; !over_.wait_for(lock, stall, [&] { return running_ == nullptr; }); seen = steps_)
    if (steps_ == seen) AbortLocked("the baton is lost: the running actor comes to no scheduling point; a mutex held across an io call?");
}

SimulationResult SimulatedScheduler::Run() {
  std::unique_lock lock(mutex_);
  CHECK(!active_, "Run inside of Run");
  active_ = true;
  result_ = {};
  runner_ = std::this_thread::get_id();
  running_ = PickLocked();
  Fiber outside;
  outside_ = &outside;
  std::thread watch([this] { Watch(); });
  if (running_ != nullptr) {
    lock.unlock();
    outside.SwitchTo(*running_->fiber);
    lock.lock();
  }
  active_ = false;
  lock.unlock();
  over_.notify_one();
  watch.join();
  for (auto& actor : actors_) actor->fiber = nullptr;
  actors_.clear();
  return result_;
}

}  // namespace sluice::io
