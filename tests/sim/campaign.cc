// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "sim/isolated_run.h"
#include "sim/planted_bugs.h"
#include "sim/run.h"

namespace sluice::sim {
namespace {

constexpr int kRunSecondsMax = 300;
constexpr uint64_t kSmokeSeeds = 40;
constexpr uint64_t kSmokeSweepRuns = 40;  // of each kind of crash
constexpr uint64_t kSeedsPerBug = 25;

void PrintResult(const std::string& what, const RunResult& result, bool trace) {
  if (trace || !result.ok()) std::fputs(result.log.c_str(), stdout);
  std::printf("%s: %" PRIu64 " io calls, %" PRId64 " events, %" PRId64 " acknowledged, %" PRId64 " rows seen, %" PRId64 " views, %" PRId64 " lives, trace %016" PRIx64 "\n",
              what.c_str(), result.io_calls, result.events, result.acknowledged, result.rows_seen, result.views, result.lives, result.trace_hash);
}

std::string SeedCommand(uint64_t seed) { return "./x sim --seed " + std::to_string(seed); }
std::string CrashCommand(uint64_t call) { return "./x sim --sweep --crash-at " + std::to_string(call); }

void PrintFinding(const std::string& what, const std::string& finding, const std::string& command) {
  std::printf("FAILED  %s: %s\n        repeat it with: %s\n", what.c_str(), finding.c_str(), command.c_str());
  std::fflush(stdout);
}

class Deadline {
 public:
  explicit Deadline(int64_t seconds) : seconds_(seconds) {}
  bool passed() const { return seconds_ > 0 && std::chrono::steady_clock::now() - began_ >= std::chrono::seconds(seconds_); }

 private:
  const int64_t seconds_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// The finding of a run in a process of its own.
std::string Finding(const std::function<RunResult()>& run) {
  auto isolated = RunIsolated([&] { return run().finding; }, kRunSecondsMax);
  return isolated.ended_well ? isolated.output : "the engine: " + isolated.output;
}

std::string CrashFinding(uint64_t call) {
  for (auto kind : {io::CrashKind::kMachine, io::CrashKind::kProcess}) {
    auto found = Finding([&] { return RunScenario(ScriptedScenario(), {}, {call, kind}); });
    if (!found.empty()) return (kind == io::CrashKind::kMachine ? "after a power failure: " : "after a kill: ") + found;
  }
  return {};
}

// How many io calls the scripted run makes; 0: it fails, or it does not come to everything that is worth a crash.
uint64_t ScriptedCalls() {
  auto isolated = RunIsolated([] {
    const auto result = RunScenario(ScriptedScenario());
    return result.ok() && result.recycled && result.sealed && result.expired ? std::to_string(result.io_calls) : std::string();
  }, kRunSecondsMax);
  return isolated.ended_well && !isolated.output.empty() ? std::stoull(isolated.output) : 0;
}

// Invariant 8 of the design.
bool SameSeedTwice(uint64_t seed) {
  auto trace = [&] { return Finding([&] {
    RunResult result = RunScenario(RandomScenario(seed));
    result.finding = std::to_string(result.trace_hash);
    return result;
  }); };
  const auto first = trace(), second = trace();
  if (first != second) PrintFinding("seed " + std::to_string(seed), "two runs differ, traces " + first + " and " + second, SeedCommand(seed));
  return first == second;
}

}  // namespace

bool RunSeed(const CampaignOptions& options, bool trace) {
  const uint64_t seed = options.seed_first;
  const bool planted = options.bug >= 1 && options.bug <= PlantedBugs().size();
  const auto scenario = planted ? BugScenario(PlantedBugs()[options.bug - 1], seed) : RandomScenario(seed);
  const auto what = "seed " + std::to_string(seed) + (planted ? ", \"" + PlantedBugs()[options.bug - 1].name + "\"" : "");
  std::printf("%s: %s\n", what.c_str(), scenario.ToString().c_str());
  std::fflush(stdout);
  const auto result = RunScenario(scenario, planted ? PlantedBugs()[options.bug - 1].wiring : Wiring());
  PrintResult(what, result, trace);
  if (!result.ok()) PrintFinding(what, result.finding, SeedCommand(seed) + (planted ? " --bug " + std::to_string(options.bug) : ""));
  return result.ok();
}

bool RunSeeds(const CampaignOptions& options) {
  const Deadline deadline(options.seconds_max);
  uint64_t runs = 0, failed = 0;
  for (uint64_t seed = options.seed_first; runs < options.runs && !deadline.passed(); seed++) {
    runs++;
    const auto found = Finding([&] { return RunScenario(RandomScenario(seed)); });
    if (found.empty()) continue;
    failed++;
    PrintFinding("seed " + std::to_string(seed), found, SeedCommand(seed));
  }
  std::printf("%" PRIu64 " seeds from %" PRIu64 " on, %" PRIu64 " failed\n", runs, options.seed_first, failed);
  return failed == 0;
}

bool RunCrashPoint(const CampaignOptions& options) {
  bool good = true;
  for (auto kind : {io::CrashKind::kMachine, io::CrashKind::kProcess}) {
    const auto what = std::string(kind == io::CrashKind::kMachine ? "power failure" : "kill") + " at io call " + std::to_string(options.crash_at);
    const auto result = RunScenario(ScriptedScenario(), {}, {options.crash_at, kind});
    PrintResult(what, result, false);
    if (!result.ok()) PrintFinding(what, result.finding, CrashCommand(options.crash_at));
    good = good && result.ok();
  }
  return good;
}

bool Sweep(const CampaignOptions& options) {
  const uint64_t calls = ScriptedCalls();
  if (calls == 0) std::printf("FAILED  the scripted run fails, or recycles, seals or expires nothing\n");
  const Deadline deadline(options.seconds_max);
  uint64_t points = 0, failed = 0;
  for (uint64_t call = options.seed_first; call <= calls && !deadline.passed(); call += options.sweep_step, points++) {
    const auto found = CrashFinding(call);
    if (found.empty()) continue;
    failed++;
    PrintFinding("io call " + std::to_string(call), found, CrashCommand(call));
  }
  std::printf("a scripted run of %" PRIu64 " io calls, stopped at %" PRIu64 " of them, by a power failure and by a kill: %" PRIu64 " failed\n", calls, points, failed);
  return failed == 0 && points > 0;
}

bool FindPlantedBugs() {
  uint64_t missed = 0;
  for (auto& bug : PlantedBugs()) {
    std::string found;
    uint64_t seed = 0;
    while (found.empty() && seed < kSeedsPerBug) {
      seed++;
      found = Finding([&] { return RunScenario(BugScenario(bug, seed), bug.wiring); });
    }
    missed += found.empty();
    if (found.empty()) std::printf("FAILED  planted bug \"%s\" was not found by %" PRIu64 " seeds\n", bug.name.c_str(), seed);
    else std::printf("planted bug \"%s\", seed %" PRIu64 ": %s\n", bug.name.c_str(), seed, found.substr(0, found.find('\n')).c_str());
    std::fflush(stdout);
  }
  std::printf("%zu planted bugs, %" PRIu64 " not found\n", PlantedBugs().size(), missed);
  return missed == 0;
}

bool Smoke() {
  bool good = RunSeeds({.seed_first = 1, .runs = kSmokeSeeds});
  for (uint64_t seed : {1, 2, 3}) good = SameSeedTwice(seed) && good;
  good = Sweep({.sweep_step = std::max<uint64_t>(1, ScriptedCalls() / kSmokeSweepRuns)}) && good;
  return FindPlantedBugs() && good;
}

}  // namespace sluice::sim
