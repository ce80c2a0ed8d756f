// SPDX-License-Identifier: Apache-2.0
#include "sim/supervisor.h"

#include "sim/http_client.h"
#include "sim/other_engine.h"
#include "sim/second_act.h"
#include "sim/server_life.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kCrashStream = 2, kCloneStream = 700;
constexpr int64_t kRestartUs = 10'000;

// Ten times what long runs need.
constexpr uint64_t kStepsMax = 3'000'000;
constexpr size_t kLogLinesMax = 20'000;
constexpr int64_t kSecondActUs = 10 * kMicrosPerHour;
constexpr int kSecondActSenders = 2, kSecondActRequests = 3, kRestoreCrashes = 3;
constexpr uint64_t kRestoreCalls = 512, kLateLieCalls = 40;

}  // namespace

io::SimulationOptions InUse(io::SimulationOptions faults) {
  faults.steps_max = kStepsMax;
  faults.log_lines_max = kLogLinesMax;
  return faults;
}

void Clients::Begin(int senders, int requests) {
  run_.all.senders_at_work += senders;
  for (int i = 0; i < senders; i++) {
    const int number = first_sender_ + static_cast<int>(senders_.size());
    senders_.push_back(std::make_unique<Sender>(run_, env_, number, requests));
    run_.world.Spawn("", "sender-" + std::to_string(number), [sender = senders_.back().get()] { sender->Run(); });
  }
  if (run_.act == 1) run_.world.Spawn("", "network", [this] { run_.network.Run(env_); });
  if (run_.act == 1 && first_sender_ == 0) {
    run_.world.Spawn("", "flusher", [this] { AskForFlushes(run_, env_); });
    run_.world.Spawn("", "clock", [this] { JumpClocks(run_, env_); });
    run_.world.Spawn("", "disk", [this] { FillDisks(run_, env_); });
    run_.world.Spawn("", "outages", [this] { BreakTables(run_, env_); });
    if (run_.scenario.http.crowds > 0) run_.world.Spawn("", "crowd", [this] { Crowd(run_, env_); });
    if (run_.scenario.http.stops > 0) run_.world.Spawn("", "stopper", [this] { StopServers(run_, env_); });
    if (run_.scenario.visits > 0) run_.world.Spawn("", "visits", [this] { KeepVisiting(run_, env_); });
  }
  run_.world.Spawn("", "closer", [this] { Close(run_, env_); });
}

Supervisor::Supervisor(RunState& run, io::Env env, Clients& clients, CrashPoint crash)
    : run_(run),
      env_(env),
      clients_(clients),
      crash_(crash),
      dice_(run.scenario.seed, kCrashStream + (run.place.empty() ? 0 : kCloneStream)),
      ended_(env.threads.NewSignal()) {}

void Supervisor::Run() {
  RunActs();
  run_.network.Stop();
}

void Supervisor::RunActs() {
  Serve();
  if (!run_.scenario.has_second_act || !run_.verdict.ok()) return;
  run_.act++;
  // Everything of before is old now; with all other jumps it is still less than the window in which duplicates are known.
  run_.world.JumpClock(kSecondActUs);
  if (run_.has_backup) Restore();
  run_.act_began_us = env_.clock.Now().us;
  if (!run_.verdict.ok()) return;
  // The catalog may wait with its lie: also for the search for files that nobody refers to.
  auto options = InUse({});
  options.catalog_lie = run_.scenario.faults.catalog_lie;
  options.catalog_lie.nth += dice_.Below(kLateLieCalls);
  run_.world.SetOptions(options);
  clients_.Begin(kSecondActSenders, kSecondActRequests);
  Serve();
}

void Supervisor::Serve() {
  stopped_ = false;
  while (!stopped_ && run_.verdict.ok() && !run_.retired) {
    if (run_.faults_on) PlanCrash();
    run_.restarts = false;
    Live("loop", [this] {
      ServerLife life(run_, run_.world.env(run_.server));
      life.Run();
      stopped_ = !run_.faults_on && !run_.restarts;
    });
    if (stopped_ || run_.retired) return;
    run_.all.crashes++;
    run_.crashes_ns.push_back(env_.clock.MonotonicNs());
    env_.log.Info("the server is gone", {{"io", run_.world.io_count()}});
    if (run_.scenario.restores && run_.faults_on && dice_.Coin()) {
      run_.world.SetOptions(InUse({}));
      BackUpLog(run_, env_);
    }
    env_.clock.SleepUs(kRestartUs);
  }
}

void Supervisor::Live(const std::string& name, std::function<void()> body) {
  alive_ = true;
  // The guard goes when the actor is unwound, too; with it everything of this life is gone.
  std::shared_ptr<void> guard(nullptr, [this](void*) {
    alive_ = false;
    ended_->Notify();
  });
  run_.world.Spawn(run_.server, name, [body = std::move(body), guard = std::move(guard)] { body(); });
  while (alive_) ended_->Wait(-1);
}

// The log of before comes back; what it lacks is in the tables, all of it: the first act ended with a flush.
void Supervisor::Restore() {
  PutBackupInPlace(run_, env_);
  bool done = false;
  for (int attempt = 0; !done && run_.verdict.ok(); attempt++) {
    auto options = InUse({});
    if (attempt < kRestoreCrashes) {
      options.crash_at_io = run_.world.io_count() + 1 + dice_.Below(kRestoreCalls);
      options.crash_kind = dice_.Coin() ? io::CrashKind::kMachine : io::CrashKind::kProcess;
    }
    run_.world.SetOptions(options);
    Live("restore", [&] { done = RestoreLog(run_, run_.world.env(run_.server)); });
  }
  run_.world.SetOptions(InUse({}));
}

void Supervisor::PlanCrash() {
  auto options = InUse(run_.scenario.faults);
  options.disk_bytes_max = run_.all.disk_bytes_max;
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
  // What is planned for the other server stays.
  else if (run_.has_rival && run_.world.options().crash_at_io > run_.world.io_count())
    return;
  run_.world.SetOptions(options);
}

}  // namespace sluice::sim
