// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include <memory>

#include "sim/clients.h"
#include "sim/dice.h"
#include "sim/end_check.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kCrashStream = 2;
constexpr int64_t kRestartUs = 10'000;
constexpr char kServer[] = "main";

// Ten times what long runs need.
constexpr uint64_t kStepsMax = 3'000'000;

io::SimulationOptions InUse(io::SimulationOptions faults) {
  faults.steps_max = kStepsMax;
  return faults;
}

// Starts the server again whenever it ends, and decides when it crashes next.
class Supervisor {
 public:
  Supervisor(RunState& run, io::Env env, CrashPoint crash) : run_(run), env_(env), crash_(crash), dice_(run.scenario.seed, kCrashStream), ended_(env.threads.NewSignal()) {}

  // Until the server was stopped on purpose, or the run has found something.
  void Run() {
    stopped_ = false;
    while (!stopped_ && run_.verdict.ok()) {
      if (run_.faults_on) PlanCrash();
      alive_ = true;
      // The guard goes when the actor is unwound, too; with it everything of this life is gone.
      std::shared_ptr<void> guard(nullptr, [this](void*) {
        alive_ = false;
        ended_->Notify();
      });
      run_.world.Spawn(kServer, "loop", [this, guard = std::move(guard)] {
        ServerLife life(run_, run_.world.env(kServer));
        life.Run();
        stopped_ = !run_.faults_on;  // nobody stops it before
      });
      while (alive_) ended_->Wait(-1);
      if (!stopped_) {
        run_.crashes++;
        env_.log.Info("the server is gone", {{"io", run_.world.io_count()}});
        env_.clock.SleepUs(kRestartUs);
      }
    }
  }

 private:
  void PlanCrash() {
    auto options = InUse(run_.scenario.faults);
    options.disk_bytes_max = run_.disk_bytes_max;
    if (crash_.io_call != 0) {
      options.crash_at_io = crash_.io_call;
      options.crash_kind = crash_.kind;
    } else if (planned_ < run_.scenario.crashes) {
      planned_++;
      // Often in the first calls of a life: recovery is work like any other.
      const auto span = uint64_t{1} << dice_.Between(3, 11);
      options.crash_at_io = run_.world.io_count() + 1 + dice_.Below(span);
      options.crash_kind = dice_.Coin() ? io::CrashKind::kMachine : io::CrashKind::kProcess;
    }
    run_.world.SetOptions(options);
  }

  RunState& run_;
  io::Env env_;
  const CrashPoint crash_;
  Dice dice_;
  const std::unique_ptr<io::Signal> ended_;
  bool alive_ = false;
  bool stopped_ = false;
  int planned_ = 0;
};

// The first name that ends so; empty: none.
std::string FirstName(io::Env env, const Path& directory, std::string_view end) {
  auto names = env.files.List(directory);
  if (!names.ok()) return {};
  for (auto& name : *names)
    if (name.ends_with(end)) return name;
  return {};
}

}  // namespace

RunResult RunScenario(const Scenario& scenario, const Wiring& wiring, CrashPoint crash) {
  io::SimulatedWorld world(scenario.seed, InUse(scenario.faults));
  RunState run{scenario, wiring, world, {}, {}, {}, true, scenario.senders};
  const auto outside = world.env("");
  Supervisor supervisor(run, outside, crash);
  std::vector<std::unique_ptr<Sender>> senders;
  world.Spawn("", "supervisor", [&] { supervisor.Run(); });
  for (int i = 0; i < scenario.senders; i++) {
    senders.push_back(std::make_unique<Sender>(run, outside, i));
    world.Spawn("", "sender-" + std::to_string(i), [sender = senders.back().get()] { sender->Run(); });
  }
  world.Spawn("", "flusher", [&] { AskForFlushes(run, outside); });
  world.Spawn("", "clock", [&] { JumpClocks(run, outside); });
  world.Spawn("", "disk", [&] { FillDisks(run, outside); });
  world.Spawn("", "closer", [&] { Close(run, outside); });
  const auto ended = world.Run();
  if (ended.outcome == io::SimulationOutcome::kDeadlock || ended.outcome == io::SimulationOutcome::kEndless) run.verdict.Note("no end", ended.report);
  if (run.verdict.ok()) run.verdict.Note("end", CheckEnd(run));

  RunResult out;
  out.finding = run.verdict.finding();
  out.io_calls = world.io_count();
  out.trace_hash = world.trace_hash();
  out.events = static_cast<int64_t>(run.ledger.events().size());
  out.acknowledged = static_cast<int64_t>(run.ledger.acknowledged().size());
  out.rows_seen = run.ledger.rows_seen();
  out.views = run.views;
  out.lives = run.lives;
  out.crashes = run.crashes;
  out.unanswered = run.unanswered;
  for (auto& line : world.log()) out.log += line + "\n";
  out.recycled = FirstName(outside, scenario.server.data + "/log/journal", ".segment") > "00000000000000000001.segment";
  out.sealed = !FirstName(outside, scenario.server.data + "/log/dedup", ".run").empty();
  out.expired = out.log.find("snapshots expired") != std::string::npos;
  return out;
}

}  // namespace sluice::sim
