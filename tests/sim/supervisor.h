// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What keeps a run going from outside of the simulated machine: clients come, servers are started again.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/simulated_world.h"
#include "sim/clients.h"
#include "sim/dice.h"
#include "sim/run_state.h"

namespace sluice::sim {

// Where a sweep stops the run; 0: nowhere, the scenario's own crashes happen.
struct CrashPoint {
  uint64_t io_call = 0;
  io::CrashKind kind = io::CrashKind::kMachine;
};

// As a run uses them: with its bounds.
io::SimulationOptions InUse(io::SimulationOptions faults);

// The clients of one act after the other, and what happens around them.
class Clients {
 public:
  // `first_sender`: numbers are in the ids of events.
  Clients(RunState& run, io::Env env, int first_sender) : run_(run), env_(env), first_sender_(first_sender) {}
  void Begin(int senders, int requests);

 private:
  RunState& run_;
  io::Env env_;
  const int first_sender_;
  std::vector<std::unique_ptr<Sender>> senders_;
};

// Starts the server again whenever it ends, and decides when it crashes next.
class Supervisor {
 public:
  Supervisor(RunState& run, io::Env env, Clients& clients, CrashPoint crash);
  // Until the server was stopped on purpose in the last act, or the run has found something.
  void Run();

 private:
  void RunActs();
  void Serve();
  // One process, from its start to its end, whatever that is.
  void Live(const std::string& name, std::function<void()> body);
  void Restore();
  void PlanCrash();

  RunState& run_;
  io::Env env_;
  Clients& clients_;
  const CrashPoint crash_;
  Dice dice_;
  const std::unique_ptr<io::Signal> ended_;
  bool alive_ = false;
  bool stopped_ = false;
  int planned_ = 0;
};

}  // namespace sluice::sim
