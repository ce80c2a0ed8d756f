// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "sim/isolated_run.h"
#include "sim/planted_bugs.h"
#include "sim/progress.h"
#include "sim/run.h"

namespace sluice::sim {
namespace {

constexpr int kRunSecondsMax = 300;
constexpr uint64_t kSmokeSeeds = 500;
constexpr uint64_t kSmokeSweepRuns = 40;  // of each kind of crash
constexpr uint64_t kSeedsPerBug = 40;

void PrintResult(const std::string& what, const RunResult& result, bool trace) {
  if (trace || !result.ok()) std::fputs(result.log.c_str(), stdout);
  std::printf("%s: %" PRIu64 " io calls, %" PRId64 " events, %" PRId64 " acknowledged, %" PRId64 " rows seen, %" PRId64 " views, %" PRId64
              " lives, trace %016" PRIx64 "\n",
              what.c_str(), result.io_calls, result.events, result.acknowledged, result.rows_seen, result.views, result.lives,
              result.trace_hash);
  if (!result.lie.empty()) std::printf("  a lie: %s\n", result.lie.c_str());
  if (!result.settled.empty()) std::printf("  it ended with: %s\n", result.settled.c_str());
  if (result.reached.bits() != 0) std::printf("  %s\n", result.reached.ToString().c_str());
}

const char* NameOf(io::CrashKind kind) { return kind == io::CrashKind::kMachine ? "power failure" : "kill"; }

Scenario ScenarioOf(uint64_t seed, SeedKind kind) {
  switch (kind) {
    case SeedKind::kAny: return RandomScenario(seed);
    case SeedKind::kDiskLies: return LyingScenario(seed);
    case SeedKind::kCatalogLies: return CatalogLieScenario(seed);
    case SeedKind::kRivals: return RivalScenario(seed);
    case SeedKind::kVisits: return VisitScenario(seed);
  }
  return {};
}
std::string SeedCommand(uint64_t seed, SeedKind kind = SeedKind::kAny) {
  static constexpr const char* kFlags[] = {"", " --lies", " --catalog-lies", " --rivals", " --visits"};
  return "./x sim --seed " + std::to_string(seed) + kFlags[static_cast<size_t>(kind)];
}
std::string CrashCommand(uint64_t seed, uint64_t call) {
  return "./x sim --sweep --crash-at " + std::to_string(call) + (seed == 1 ? "" : " --seed " + std::to_string(seed));
}

void PrintFinding(const std::string& what, const std::string& finding, const std::string& command) {
  std::printf("FAILED  %s: %s\n        repeat it with: %s\n", what.c_str(), finding.c_str(), command.c_str());
  std::fflush(stdout);
}

// What the parent needs of a run in a process of its own.
struct Outcome {
  std::string finding;
  Reached reached;
};

std::string ToText(const RunResult& result) { return std::to_string(result.reached.bits()) + " " + result.finding; }
Outcome ToOutcome(const IsolatedResult& isolated) {
  if (!isolated.ended_well) return {"the engine: " + isolated.output, {}};
  const auto space = isolated.output.find(' ');
  if (space == std::string::npos) return {"the simulator: \"" + isolated.output + "\"", {}};
  return {isolated.output.substr(space + 1), Reached::FromBits(std::stoull(isolated.output))};
}
std::string FindingOf(const std::function<RunResult()>& run) {
  return ToOutcome(RunIsolated([&] { return ToText(run()); }, kRunSecondsMax)).finding;
}

// How many io calls the scripted run makes; 0: it fails, or it does not come to everything that is worth a crash.
uint64_t ScriptedCalls(uint64_t seed) {
  auto isolated = RunIsolated(
      [&] {
        const auto result = RunScenario(ScriptedScenario(seed));
        bool all = result.ok();
        for (auto reach : ScriptedReach(seed)) all = all && result.reached.has(reach);
        if (!all)
          std::printf("FAILED  the scripted run of seed %" PRIu64 ": %s; it came to: %s\n", seed, result.finding.c_str(),
                      result.reached.ToString().c_str());
        std::fflush(stdout);
        return all ? std::to_string(result.io_calls) : std::string();
      },
      kRunSecondsMax);
  return isolated.ended_well && !isolated.output.empty() ? std::stoull(isolated.output) : 0;
}

// Invariant 8 of the design.
bool SameSeedTwice(uint64_t seed) {
  auto trace = [&] {
    return FindingOf([&] {
      RunResult result = RunScenario(RandomScenario(seed));
      result.finding = std::to_string(result.trace_hash);
      return result;
    });
  };
  const auto first = trace(), second = trace();
  if (first != second)
    PrintFinding("seed " + std::to_string(seed), "two runs differ, traces " + first + " and " + second, SeedCommand(seed));
  return first == second;
}

// As RunSeeds; counts what the runs came to.
bool CountSeeds(const CampaignOptions& options, ReachCounts& reached) {
  Progress progress("seeds", options.runs, options.seconds_max);
  IsolatedRuns runs(options.jobs, kRunSecondsMax);
  for (uint64_t i = 0; (options.runs == 0 || i < options.runs) && !progress.is_over(); i++) {
    const uint64_t seed = options.seed_first + i;
    runs.Add([seed, kind = options.kind] { return ToText(RunScenario(ScenarioOf(seed, kind))); },
             [&, seed](const IsolatedResult& isolated) {
               const auto outcome = ToOutcome(isolated);
               reached.Add(outcome.reached);
               if (!outcome.finding.empty()) PrintFinding("seed " + std::to_string(seed), outcome.finding, SeedCommand(seed, options.kind));
               progress.Count(outcome.finding.empty());
             });
  }
  runs.Finish();
  std::printf("%" PRIu64 " seeds from %" PRIu64 " on, %" PRIu64 " failed, %.0f s; how many runs came to what: %s\n", progress.done(),
              options.seed_first, progress.failed(), progress.seconds(), reached.ToString().c_str());
  return progress.failed() == 0;
}

}  // namespace

bool RunSeed(const CampaignOptions& options, bool trace) {
  const uint64_t seed = options.seed_first;
  const bool planted = options.bug >= 1 && options.bug <= PlantedBugs().size();
  const auto scenario = planted ? BugScenario(PlantedBugs()[options.bug - 1], seed) : ScenarioOf(seed, options.kind);
  const auto what = "seed " + std::to_string(seed) + (planted ? ", \"" + PlantedBugs()[options.bug - 1].name + "\"" : "");
  std::printf("%s: %s\n", what.c_str(), scenario.ToString().c_str());
  std::fflush(stdout);
  const auto result = RunScenario(scenario, planted && !options.without_bug ? PlantedBugs()[options.bug - 1].wiring : Wiring());
  PrintResult(what, result, trace);
  if (!result.ok())
    PrintFinding(what, result.finding,
                 SeedCommand(seed, options.kind) + (planted ? " --bug " + std::to_string(options.bug) : "") +
                     (options.without_bug ? " --without" : ""));
  return result.ok();
}

bool RunSeeds(const CampaignOptions& options) {
  ReachCounts reached;
  return CountSeeds(options, reached);
}

bool RunCrashPoint(const CampaignOptions& options, bool trace) {
  bool good = true;
  for (auto kind : {io::CrashKind::kMachine, io::CrashKind::kProcess}) {
    const auto what = std::string(NameOf(kind)) + " at io call " + std::to_string(options.crash_at);
    const auto result = RunScenario(ScriptedScenario(options.seed_first), {}, {options.crash_at, kind});
    PrintResult(what, result, trace);
    if (!result.ok()) PrintFinding(what, result.finding, CrashCommand(options.seed_first, options.crash_at));
    good = good && result.ok();
  }
  return good;
}

bool Sweep(const CampaignOptions& options) {
  const uint64_t seed = options.seed_first, calls = ScriptedCalls(seed);
  if (calls < options.call_first) return false;
  constexpr io::CrashKind kKinds[] = {io::CrashKind::kMachine, io::CrashKind::kProcess};
  const uint64_t points = (calls - options.call_first) / options.sweep_step + 1;
  Progress progress("crashes", points * std::size(kKinds), options.seconds_max);
  IsolatedRuns runs(options.jobs, kRunSecondsMax);
  uint64_t last = 0;
  for (uint64_t call = options.call_first; call <= calls && !progress.is_over(); call += options.sweep_step) {
    last = call;
    for (auto kind : kKinds)
      runs.Add(
          [=] {
            return ToText(RunScenario(ScriptedScenario(seed), {}, {call, kind}));
          },
          [&, call, kind](const IsolatedResult& isolated) {
            const auto found = ToOutcome(isolated).finding;
            if (!found.empty())
              PrintFinding(std::string(NameOf(kind)) + " at io call " + std::to_string(call), found, CrashCommand(seed, call));
            progress.Count(found.empty());
          });
  }
  runs.Finish();
  std::printf("a scripted run of %" PRIu64 " io calls (seed %" PRIu64 "), stopped at every %" PRIu64 ". from %" PRIu64 " to %" PRIu64
              ", by a power failure and by a kill: %" PRIu64 " runs, %" PRIu64 " failed, %.0f s\n",
              calls, seed, options.sweep_step, options.call_first, last, progress.done(), progress.failed(), progress.seconds());
  return progress.failed() == 0 && progress.done() > 0;
}

bool FindPlantedBugs(const CampaignOptions& options) {
  uint64_t missed = 0;
  double slowest = 0;
  for (size_t number = 1; number <= PlantedBugs().size(); number++) {
    const auto& bug = PlantedBugs()[number - 1];
    const Progress clock("", 0, 0);
    std::string found;
    uint64_t tried = 0, seed = 0;
    IsolatedRuns runs(options.jobs, kRunSecondsMax);
    while (found.empty() && tried < kSeedsPerBug) {
      const uint64_t next = options.seed_first + tried++;
      runs.Add([&, next] { return ToText(RunScenario(BugScenario(bug, next), bug.wiring)); },
               [&, next](const IsolatedResult& isolated) {
                 const auto finding = ToOutcome(isolated).finding;
                 if (finding.empty() || !found.empty()) return;
                 // The bug it must be, and not what was made likelier for it.
                 const auto without = FindingOf([&] { return RunScenario(BugScenario(bug, next)); });
                 if (!without.empty())
                   return PrintFinding("seed " + std::to_string(next) + " of \"" + bug.name + "\", without the bug", without,
                                       SeedCommand(next) + " --without --bug " + std::to_string(number));
                 found = finding;
                 seed = next;
               });
    }
    runs.Finish();
    missed += found.empty() ? 1 : 0;
    slowest = std::max(slowest, clock.seconds());
    if (found.empty())
      std::printf("FAILED  planted bug \"%s\" was not found by %" PRIu64 " seeds from %" PRIu64 " on, %.1f s\n", bug.name.c_str(), tried,
                  options.seed_first, clock.seconds());
    else
      std::printf("planted bug \"%s\", seed %" PRIu64 ", %.1f s: %s\n", bug.name.c_str(), seed, clock.seconds(),
                  found.substr(0, found.find('\n')).c_str());
    std::fflush(stdout);
  }
  std::printf("%zu planted bugs, %" PRIu64 " not found, the slowest took %.1f s\n", PlantedBugs().size(), missed, slowest);
  return missed == 0;
}

bool Smoke(const CampaignOptions& options) {
  ReachCounts reached;
  bool good = CountSeeds({.seed_first = 1, .runs = kSmokeSeeds, .jobs = options.jobs}, reached);
  if (auto* missing = reached.FirstMissing(); missing != nullptr) {
    std::printf("FAILED  no seed came to this: %s\n", missing);
    good = false;
  }
  for (uint64_t seed : {1, 2, 3}) good = SameSeedTwice(seed) && good;
  good = Sweep({.sweep_step = std::max<uint64_t>(1, ScriptedCalls(1) / kSmokeSweepRuns), .jobs = options.jobs}) && good;
  return FindPlantedBugs({.jobs = options.jobs}) && good;
}

}  // namespace sluice::sim
