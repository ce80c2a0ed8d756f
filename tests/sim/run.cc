// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include "history/checker.h"
#include "sim/damage.h"
#include "sim/end_check.h"
#include "sim/rival.h"
#include "sim/supervisor.h"

namespace sluice::sim {
namespace {

// A second opinion on all that clients and views of a server saw, beside what was found already.
void JudgeHistory(const history::History& history, Verdict& verdict) {
  const auto anomalies = history::Check(history, 1);
  if (anomalies.empty()) return;
  const auto what = std::string(history::AnomalyKindName(anomalies.front().kind)) + ": " + anomalies.front().what;
  if (verdict.ok()) verdict.Note("history", what);
  else verdict.Add("history, " + what);
}

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
  Surroundings all{scenario, wiring, world};
  RunState run{all};
  const auto outside = world.env("");
  Clients clients(run, outside, 0);
  Supervisor supervisor(run, outside, clients, crash);
  world.Spawn("", "supervisor", [&] { supervisor.Run(); });
  clients.Begin(scenario.senders, scenario.requests);
  RivalServer rival(run, outside);
  if (scenario.has_rival) rival.Plan();
  const auto ended = world.Run();
  if (ended.outcome == io::SimulationOutcome::kDeadlock || ended.outcome == io::SimulationOutcome::kEndless)
    run.verdict.Note("no end", ended.report);
  if (run.verdict.ok())
    if (const auto found = CheckEnd(run); !found.empty() && !NameDamage(run, "end", found)) run.verdict.Note("end", found);
  if (run.verdict.ok() && rival.run() != nullptr) run.verdict.Note("end of two servers", rival.Check());

  if (run.verdict.ok() && !all.with_deletes.empty()) run.verdict.Note("behind delete files", CheckNothingLost(run));
  if (run.verdict.finding().empty() && scenario.faults.catalog_lie.kind != io::CatalogLie::Kind::kNone) {
    if (const auto lost = CheckNothingLost(run); !lost.empty()) run.verdict.Add("after " + run.verdict.settled() + ": " + lost);
  }

  for (auto* one : {&run, rival.run()})
    if (one != nullptr && !all.reached.has(Reach::kRottenTail)) JudgeHistory(one->history, all.verdict);

  RunResult out;
  out.finding = run.verdict.finding();
  out.settled = run.verdict.settled();
  if (auto* lie = world.lie()) {
    run.reached.Note(lie->path.starts_with("catalog/") ? Reach::kCatalogLie : Reach::kLie);
    out.lie = lie->path + " at " + std::to_string(lie->at) + ": " + lie->what;
    if (!out.finding.empty()) out.finding += "; it had been lied to: " + out.lie;
  }
  out.io_calls = world.io_count();
  out.trace_hash = world.trace_hash();
  out.events = static_cast<int64_t>(run.ledger.events().size());
  out.acknowledged = static_cast<int64_t>(run.ledger.acknowledged().size());
  out.rows_seen = run.ledger.rows_seen();
  out.views = all.views;
  out.lives = all.lives;
  out.crashes = all.crashes;
  out.unanswered = all.unanswered;
  for (auto& line : world.log()) out.log += line + "\n";
  if (FirstName(outside, scenario.server.data + "/log/journal", ".segment") > "00000000000000000001.segment")
    run.reached.Note(Reach::kRecycled);
  if (!FirstName(outside, scenario.server.data + "/log/dedup", ".run").empty()) run.reached.Note(Reach::kSealed);
  if (out.log.find("snapshots expired") != std::string::npos) run.reached.Note(Reach::kExpired);
  if (out.log.find("files removed that nobody refers to") != std::string::npos) run.reached.Note(Reach::kOrphansRemoved);
  out.reached = run.reached;
  return out;
}

}  // namespace sluice::sim
