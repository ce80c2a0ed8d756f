// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include <functional>
#include <memory>
#include <vector>

#include "sim/clients.h"
#include "sim/dice.h"
#include "sim/end_check.h"
#include "sim/second_act.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kCrashStream = 2;
constexpr int64_t kRestartUs = 10'000;
constexpr char kServer[] = "main";

// Ten times what long runs need.
constexpr uint64_t kStepsMax = 3'000'000;
constexpr size_t kLogLinesMax = 20'000;

io::SimulationOptions InUse(io::SimulationOptions faults) {
  faults.steps_max = kStepsMax;
  faults.log_lines_max = kLogLinesMax;
  return faults;
}

// The clients of one act after the other.
class Clients {
 public:
  Clients(RunState& run, io::Env env) : run_(run), env_(env) {}

  void Begin(int senders, int requests) {
    run_.senders_at_work = senders;
    for (int i = 0; i < senders; i++) {
      const int number = static_cast<int>(senders_.size());
      senders_.push_back(std::make_unique<Sender>(run_, env_, number, requests));
      run_.world.Spawn("", "sender-" + std::to_string(number), [sender = senders_.back().get()] { sender->Run(); });
    }
    if (run_.act == 1) {
      run_.world.Spawn("", "flusher", [this] { AskForFlushes(run_, env_); });
      run_.world.Spawn("", "clock", [this] { JumpClocks(run_, env_); });
      run_.world.Spawn("", "disk", [this] { FillDisks(run_, env_); });
      run_.world.Spawn("", "outages", [this] { BreakTables(run_, env_); });
    }
    run_.world.Spawn("", "closer", [this] { Close(run_, env_); });
  }

 private:
  RunState& run_;
  io::Env env_;
  std::vector<std::unique_ptr<Sender>> senders_;
};

// Starts the server again whenever it ends, and decides when it crashes next.
class Supervisor {
 public:
  Supervisor(RunState& run, io::Env env, Clients& clients, CrashPoint crash)
      : run_(run), env_(env), clients_(clients), crash_(crash), dice_(run.scenario.seed, kCrashStream), ended_(env.threads.NewSignal()) {}

  // Until the server was stopped on purpose in the last act, or the run has found something.
  void Run() {
    Serve();
    if (!run_.scenario.has_second_act || !run_.verdict.ok()) return;
    run_.act++;
    // Everything of before is old now; with all other jumps it is still less than the window in which duplicates are known.
    run_.world.JumpClock(kSecondActUs);
    if (run_.has_backup) Restore();
    run_.act_began_us = env_.clock.Now().us;
    if (!run_.verdict.ok()) return;
    clients_.Begin(kSecondActSenders, kSecondActRequests);
    Serve();
  }

 private:
  static constexpr int64_t kSecondActUs = 10 * kMicrosPerHour;
  static constexpr int kSecondActSenders = 2, kSecondActRequests = 3, kRestoreCrashes = 3;
  static constexpr uint64_t kRestoreCalls = 512;

  void Serve() {
    stopped_ = false;
    while (!stopped_ && run_.verdict.ok()) {
      if (run_.faults_on) PlanCrash();
      Live("loop", [this] {
        ServerLife life(run_, run_.world.env(kServer));
        life.Run();
        stopped_ = !run_.faults_on;  // nobody stops it before
      });
      if (stopped_) return;
      run_.crashes++;
      env_.log.Info("the server is gone", {{"io", run_.world.io_count()}});
      if (run_.scenario.restores && run_.faults_on && dice_.Coin()) {
        run_.world.SetOptions(InUse({}));
        BackUpLog(run_, env_);
      }
      env_.clock.SleepUs(kRestartUs);
    }
  }

  // One process, from its start to its end, whatever that is.
  void Live(const std::string& name, std::function<void()> body) {
    alive_ = true;
    // The guard goes when the actor is unwound, too; with it everything of this life is gone.
    std::shared_ptr<void> guard(nullptr, [this](void*) {
      alive_ = false;
      ended_->Notify();
    });
    run_.world.Spawn(kServer, name, [body = std::move(body), guard = std::move(guard)] { body(); });
    while (alive_) ended_->Wait(-1);
  }

  // The log of before comes back; what it lacks is in the tables, all of it: the first act ended with a flush.
  void Restore() {
    PutBackupInPlace(run_, env_);
    bool done = false;
    for (int attempt = 0; !done && run_.verdict.ok(); attempt++) {
      auto options = InUse({});
      if (attempt < kRestoreCrashes) {
        options.crash_at_io = run_.world.io_count() + 1 + dice_.Below(kRestoreCalls);
        options.crash_kind = dice_.Coin() ? io::CrashKind::kMachine : io::CrashKind::kProcess;
      }
      run_.world.SetOptions(options);
      Live("restore", [&] { done = RestoreLog(run_, run_.world.env(kServer)); });
    }
    run_.world.SetOptions(InUse({}));
  }

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
  Clients& clients_;
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
  RunState run{scenario, wiring, world};
  const auto outside = world.env("");
  Clients clients(run, outside);
  Supervisor supervisor(run, outside, clients, crash);
  world.Spawn("", "supervisor", [&] { supervisor.Run(); });
  clients.Begin(scenario.senders, scenario.requests);
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
  if (FirstName(outside, scenario.server.data + "/log/journal", ".segment") > "00000000000000000001.segment") run.reached.Note(Reach::kRecycled);
  if (!FirstName(outside, scenario.server.data + "/log/dedup", ".run").empty()) run.reached.Note(Reach::kSealed);
  if (out.log.find("snapshots expired") != std::string::npos) run.reached.Note(Reach::kExpired);
  if (out.log.find("files removed that nobody refers to") != std::string::npos) run.reached.Note(Reach::kOrphansRemoved);
  out.reached = run.reached;
  return out;
}

}  // namespace sluice::sim
