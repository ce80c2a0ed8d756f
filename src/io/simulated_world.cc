// SPDX-License-Identifier: Apache-2.0
#include "io/simulated_world.h"

#include "io/internal/simulation.h"

namespace sluice::io {
namespace {

// One life of a server: what its Env refers to.
struct SimulatedProcess {
  SimulatedProcess(Simulation& simulation, const std::string& server, ProcessId id)
      : gate(simulation, id),
        random(MakeSimulatedRandom(SeededRandom(simulation.seed + id).Next())),
        log(MakeSimulatedLogger(gate, server)) {}

  IoGate gate;
  Metrics metrics;
  std::unique_ptr<Random> random;
  std::unique_ptr<Logger> log;
  std::unique_ptr<Clock> clock = MakeSimulatedClock(gate);
  std::unique_ptr<Threads> threads = MakeSimulatedThreads(gate);
  std::unique_ptr<FileSystem> files = MakeSimulatedFileSystem(gate);
  std::unique_ptr<ObjectStore> objects = MakeSimulatedObjectStore(gate, *files);
  std::unique_ptr<CatalogStore> catalog = MakeSimulatedCatalogStore(gate);
  std::unique_ptr<SharedMemory> memory = MakeSimulatedSharedMemory();
  std::unique_ptr<Processes> processes = MakeSimulatedProcesses();
  std::unique_ptr<Network> network = MakeSimulatedNetwork(gate);
};

}  // namespace

struct SimulatedWorld::State {
  State(uint64_t seed, const SimulationOptions& options) : simulation(seed, options) { Process(""); }

  // The process that `server` is now. Process 0 is the world outside, which no crash reaches.
  SimulatedProcess& Process(const std::string& server) {
    simulation.scheduler.ThrowIfDoomed();  // a dead actor starts nothing
    auto& current = running[server];
    if (current == nullptr || simulation.scheduler.IsDoomed(current->gate.process())) {
      processes.push_back(std::make_unique<SimulatedProcess>(simulation, server, simulation.next_process++));
      current = processes.back().get();
    }
    return *current;
  }

  Simulation simulation;
  std::vector<std::unique_ptr<SimulatedProcess>> processes;  // dead ones stay: their objects may still be held
  std::map<std::string, SimulatedProcess*> running;
};

SimulatedWorld::SimulatedWorld(uint64_t seed, SimulationOptions options) : state_(std::make_unique<State>(seed, options)) {}
SimulatedWorld::~SimulatedWorld() = default;

SimulationResult SimulatedWorld::Run(std::function<void()> body, const std::string& server) {
  Spawn(server, server, std::move(body));
  return Run();
}

void SimulatedWorld::Spawn(const std::string& server, const std::string& name, std::function<void()> body) {
  state_->simulation.scheduler.Start(name, state_->Process(server).gate.process(), std::move(body));
}

SimulationResult SimulatedWorld::Run() { return state_->simulation.scheduler.Run(); }

Env SimulatedWorld::env(const std::string& server) {
  auto& p = state_->Process(server);
  return Env{*p.files, *p.objects, *p.memory, *p.clock, *p.random, *p.threads, *p.log, p.metrics, *p.processes, *p.network};
}

CatalogStore& SimulatedWorld::catalog(const std::string& server) { return *state_->Process(server).catalog; }

void SimulatedWorld::Crash(CrashKind kind, const std::string& server) {
  auto& simulation = state_->simulation;
  auto process = state_->running.find(server);
  CHECK(kind == CrashKind::kMachine || (process != state_->running.end() && !server.empty()), "only a process that was started can crash");
  simulation.Crash(kind, kind == CrashKind::kProcess ? process->second->gate.process() : 0);
  simulation.scheduler.ThrowIfDoomed();
}

void SimulatedWorld::Freeze(int64_t us, const std::string& server) {
  auto process = state_->running.find(server);
  CHECK(process != state_->running.end() && !server.empty(), "only a process that was started can be frozen");
  state_->simulation.scheduler.Freeze(process->second->gate.process(), us * 1'000);
}

void SimulatedWorld::CloneTree(const Path& from, const Path& to, const Path& without, bool power_failed) {
  auto& simulation = state_->simulation;
  auto cloned = simulation.disk.Clone(from, to, without, power_failed ? &simulation.disk_random : nullptr);
  CHECK(cloned.ok(), "a tree that cannot be cloned");
}

void SimulatedWorld::SetOptions(const SimulationOptions& options) { state_->simulation.options = options; }
const SimulationOptions& SimulatedWorld::options() const { return state_->simulation.options; }
uint64_t SimulatedWorld::io_count() const { return state_->simulation.io_count; }
uint64_t SimulatedWorld::trace_hash() const { return state_->simulation.scheduler.trace_hash(); }

void SimulatedWorld::CorruptByte(const Path& path, uint64_t at, uint8_t mask) {
  auto inode = state_->simulation.disk.Find(path);
  CHECK(inode.ok() && !(*inode)->is_directory, "no such file to corrupt");
  (*inode)->content.Corrupt(at, mask);
}

const ToldLie* SimulatedWorld::lie() const {
  auto& simulation = state_->simulation;
  auto& told = simulation.lies.told() ? simulation.lies.told() : simulation.catalog_lies.told();
  return told ? &*told : nullptr;
}

void SimulatedWorld::JumpClock(int64_t us) { state_->simulation.wall_jump_us += us; }

std::vector<std::string> SimulatedWorld::log() const { return {state_->simulation.log.begin(), state_->simulation.log.end()}; }

}  // namespace sluice::io
