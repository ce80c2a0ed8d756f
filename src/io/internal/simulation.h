// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What all parts of a simulated world share, and the gate through which every io call of a process goes.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/internal/simulated_catalog_lies.h"
#include "io/internal/simulated_disk.h"
#include "io/internal/simulated_lies.h"
#include "io/internal/simulated_scheduler.h"
#include "io/internal/simulated_sockets.h"
#include "io/simulated_world.h"

namespace sluice::io {

// Touched only by the actor that holds the baton, or from outside while none runs.
struct Simulation {
  Simulation(uint64_t seed_of_world, SimulationOptions options_of_world);

  const uint64_t seed;
  SimulationOptions options;
  SimulatedScheduler scheduler;
  SeededRandom fault_random;
  SeededRandom disk_random;
  SimulatedDisk disk;
  SimulatedLies lies;
  SimulatedSockets sockets;
  SimulatedCatalogRows catalog;
  SimulatedCatalogLies catalog_lies;
  std::map<uint64_t, ProcessId> locks;  // inode -> holder; a dead holder holds nothing
  ProcessId next_process = 0;
  uint64_t io_count = 0;
  int64_t wall_jump_us = 0;
  std::deque<std::string> log;

  void Crash(CrashKind kind, ProcessId process);
};

// The process of the world outside, which no crash reaches.
constexpr ProcessId kOutside = 0;

// One process's way to the world. Its methods may throw SimulatedCrash (io/simulated_world.h).
class IoGate {
 public:
  enum class MayThrow : bool { kNo, kYes };

  IoGate(Simulation& simulation, ProcessId process) : simulation_(simulation), process_(process) {}

  // One io call: a scheduling point, the place of a crash, then `effect(in_flight)`. `in_flight`: the crash comes while it happens;
  // its result is lost. `effect` returns a Result.
  template <class Effect>
  auto Perform(std::string_view call, std::string_view subject, uint64_t detail, Effect effect, MayThrow may_throw = MayThrow::kYes)
      -> decltype(effect(false)) {
    auto entered = Enter(call, subject, detail, may_throw);
    if (!entered.ok()) return std::move(entered).error();
    if (*entered == Fate::kGo) return effect(false);
    if (simulation_.fault_random.Coin()) (void)effect(true);
    simulation_.Crash(simulation_.options.crash_kind, process_);
    return EndDead(may_throw);
  }

  // Whether a fault of this probability happens now; never outside of a run.
  bool Fault(double probability);
  Simulation& simulation() { return simulation_; }
  ProcessId process() const { return process_; }

 private:
  enum class Fate : uint8_t { kGo, kCrash };
  Result<Fate> Enter(std::string_view call, std::string_view subject, uint64_t detail, MayThrow may_throw);
  Error EndDead(MayThrow may_throw);

  Simulation& simulation_;
  const ProcessId process_;
};

std::unique_ptr<FileSystem> MakeSimulatedFileSystem(IoGate& gate);
std::unique_ptr<ObjectStore> MakeSimulatedObjectStore(IoGate& gate, FileSystem& files);
std::unique_ptr<CatalogStore> MakeSimulatedCatalogStore(IoGate& gate);
std::unique_ptr<Threads> MakeSimulatedThreads(IoGate& gate);
std::unique_ptr<Clock> MakeSimulatedClock(IoGate& gate);
std::unique_ptr<Random> MakeSimulatedRandom(uint64_t seed);
std::unique_ptr<SharedMemory> MakeSimulatedSharedMemory();
std::unique_ptr<Logger> MakeSimulatedLogger(IoGate& gate, std::string server);
std::unique_ptr<Processes> MakeSimulatedProcesses();
std::unique_ptr<Network> MakeSimulatedNetwork(IoGate& gate);

}  // namespace sluice::io
