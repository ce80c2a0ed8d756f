// SPDX-License-Identifier: Apache-2.0
//
// sluice_sim: the simulator's command line. Exit codes: 0 every invariant held, 1 one did not, 2 usage.

#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "sim/campaign.h"

namespace {

constexpr double kSecondsPerHour = 3600;

// A search without a first seed is to try others than the one before.
uint64_t SeedOfNow() {
  return static_cast<uint64_t>(
             std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count()) *
         1'000;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sluice::sim;
  CLI::App app("Runs the engine in a world that obeys a seed, and checks what it promises.", "sluice_sim");
  CampaignOptions options;
  options.jobs = std::max(1u, std::thread::hardware_concurrency());
  double hours = 0;
  bool smoke = false, sweep = false, bugs = false, trace = false;
  auto* seed = app.add_option("--seed", options.seed_first, "One run; with --runs or --hours, the first of several; of a sweep its run's.");
  auto* runs = app.add_option("--runs", options.runs, "So many seeds, each in a process of its own.")
                   ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
  auto* hours_option =
      app.add_option("--hours", hours, "Seeds, or the calls of a sweep, for so long; 0.1 is six minutes.")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds_max, "The same, in seconds.")->check(CLI::PositiveNumber)->excludes(hours_option);
  app.add_option("--jobs", options.jobs, "Processes at a time; all processors unless said otherwise.")
      ->check(CLI::Range(size_t{1}, size_t{256}));
  app.add_flag("--trace", trace, "Print the log of the run.");
  auto* sweep_flag =
      app.add_flag("--sweep", sweep, "Stop a scripted run at every io call, by a power failure and by a kill, restart, check.");
  app.add_option("--from", options.call_first, "Of the sweep: the first call.")
      ->needs(sweep_flag)
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
  app.add_option("--step", options.sweep_step, "Of the sweep: every n-th call only.")
      ->needs(sweep_flag)
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 30));
  app.add_option("--crash-at", options.crash_at, "Of the sweep: this call only.")->needs(sweep_flag);
  app.add_flag("--bugs", bugs, "Look for each planted bug, with the seeds from --seed on.");
  app.add_option("--bug", options.bug, "With --seed: run that seed with this planted bug, counted from 1.")->needs(seed);
  app.add_flag("--without", options.without_bug, "With --bug: the scenario of that bug, but without it.");
  const auto add_kind = [&](const char* name, SeedKind kind, const char* help) {
    app.add_flag_callback(
           name, [&options, kind] { options.kind = kind; }, help)
        ->excludes(sweep_flag);
  };
  add_kind("--lies", SeedKind::kDiskLies, "Of seeds: the disk of each one lies, not only now and then.");
  add_kind("--catalog-lies", SeedKind::kCatalogLies, "Of seeds: the catalog of each one lies.");
  add_kind("--rivals", SeedKind::kRivals, "Of seeds: each one has two servers on copies of one log.");
  add_kind("--visits", SeedKind::kVisits, "Of seeds: in each one another engine works on the same tables.");
  app.add_flag("--smoke", smoke, "A little of everything: what ./x test runs.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) { return app.exit(e) == 0 ? 0 : 2; }
  if (hours > 0) options.seconds_max = hours * kSecondsPerHour;
  bool good = true;
  if (smoke) {
    good = Smoke(options);
  } else if (sweep) {
    good = options.crash_at != 0 ? RunCrashPoint(options, trace) : Sweep(options);
  } else if (bugs) {
    good = FindPlantedBugs(options);
  } else if (*runs || options.seconds_max > 0) {
    if (!*runs) options.runs = 0;
    if (!*runs && !*seed) options.seed_first = SeedOfNow();
    good = RunSeeds(options);
  } else {
    good = RunSeed(options, trace);
  }
  return good ? 0 : 1;
}
