// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The baton: every simulated thread is a fiber that runs only while it holds it; all of them belong to the thread that calls Run. At each
// scheduling point the seed picks the next holder among those that can run; when nobody can, time jumps to the earliest timer; without
// a timer it is a deadlock.
//
//   kReady ──picked──▶ kRunning ──Yield──▶ kReady
//                         │ └─────Block──▶ kBlocked ──Wake, timer or death──▶ kReady
//                         └──body returns─▶ kEnded

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/internal/fiber.h"
#include "io/internal/seeded_random.h"
#include "io/simulated_world.h"

namespace sluice::io {

// Thrown through an actor whose process crashed, from its next scheduling point; caught at the actor's entry and nowhere else.
// Not a std::exception, so that code that wraps a throwing library does not take it for one of its own.
struct SimulatedCrash {};

// Actors of one process die together.
using ProcessId = uint32_t;

class SimulatedScheduler {
 public:
  struct Actor {
    enum class State : uint8_t { kReady, kRunning, kBlocked, kEnded };
    std::string name;
    ProcessId process = 0;
    uint64_t number = 0;
    State state = State::kReady;
    bool doomed = false;           // its process crashed
    bool woken = false;            // by Wake, not by its timer
    int64_t wake_at_ns = -1;       // timer of a blocked one; -1: none
    std::string doing;             // for reports
    std::unique_ptr<Fiber> fiber;  // null: it has ended, and its stack is gone
  };

  using ActorPtr = std::shared_ptr<Actor>;

  // `options` must outlive it and may change between runs.
  SimulatedScheduler(uint64_t seed, const SimulationOptions& options);
  ~SimulatedScheduler();

  // Makes an actor that can be picked from now on. Callable by the running actor, and from outside while nobody runs.
  ActorPtr Start(std::string name, ProcessId process, std::function<void()> body);
  // Gives the baton away until all actors ended. Called from outside. Meanwhile a thread watches that they come to scheduling points.
  SimulationResult Run();

  // The actor that calls; null: this is outside of Run. REQUIRES: no foreign thread calls while actors run.
  Actor* Self() const;

  // Scheduling points of the running actor. Dead ones are thrown out of them (SimulatedCrash), unless they are unwinding.
  void Yield(std::string_view doing, uint64_t detail, int64_t cost_ns);
  // True: somebody called Wake. False: `timeout_ns` passed (negative: never), or the actor is dead and unwinding.
  bool Block(std::string_view doing, int64_t timeout_ns);
  void Wake(Actor& actor);
  // Until `actor` has ended. Never throws: destructors join.
  void AwaitEnd(Actor& actor);

  // Every actor of the process dies at its next turn. A dead process stays dead.
  void Doom(ProcessId process);
  bool IsDoomed(ProcessId process) const;
  // No actor of the process is picked for so long; dead ones are.
  void Freeze(ProcessId process, int64_t ns);
  // Throws when the calling actor is dead and can be unwound from here. True: dead, but unwinding already.
  bool ThrowIfDoomed();

  int64_t now_ns() const { return now_ns_; }
  void Advance(int64_t ns) { now_ns_ += ns; }
  void Trace(std::string_view what, uint64_t detail);
  uint64_t trace_hash() const { return trace_hash_; }
  uint64_t steps() const { return steps_; }

 private:
  void RunBody(Actor& self, std::function<void()>& body);
  void Watch();
  void Switch(std::unique_lock<std::mutex>& lock, Actor& self);
  Actor* PickLocked();
  void WakeTimersLocked();
  int64_t ThawsAtLocked(const Actor& actor) const;  // in the past: it is not frozen
  void StopLocked(SimulationOutcome outcome, const std::string& why);
  std::string DescribeLocked() const;
  [[noreturn]] void AbortLocked(const std::string& why) const;

  const SimulationOptions& options_;
  SeededRandom random_;
  mutable std::mutex mutex_;  // between the run and who watches it
  std::condition_variable over_;
  std::vector<ActorPtr> actors_;  // of this run; those that have ended go when the next one starts
  std::vector<bool> doomed_;      // by ProcessId
  std::map<ProcessId, int64_t> frozen_until_ns_;
  Actor* running_ = nullptr;
  Fiber* outside_ = nullptr;  // who called Run
  std::thread::id runner_;
  bool active_ = false;
  int64_t now_ns_ = 0;
  uint64_t steps_ = 0;
  uint64_t trace_hash_ = 0;
  uint64_t next_number_ = 0;
  SimulationResult result_;
};

}  // namespace sluice::io
