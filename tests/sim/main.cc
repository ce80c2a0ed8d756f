// SPDX-License-Identifier: Apache-2.0
//
// sluice_sim: the simulator's command line. Exit codes: 0 every invariant held, 1 one did not, 2 usage.

#include <CLI/CLI.hpp>

#include "sim/campaign.h"

int main(int argc, char** argv) {
  using namespace sluice::sim;
  CLI::App app("Runs the engine in a world that obeys a seed, and checks what it promises.", "sluice_sim");
  CampaignOptions options;
  bool smoke = false, sweep = false, bugs = false, trace = false;
  auto* seed = app.add_option("--seed", options.seed_first, "One run; with --runs, the first of several; of the sweep the first call.");
  auto* runs = app.add_option("--runs", options.runs, "So many seeds, each in a process of its own.")->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
  app.add_option("--seconds", options.seconds_max, "With --runs or --sweep: begin no run after so many seconds.");
  app.add_flag("--trace", trace, "Print the log of the run.")->needs(seed)->excludes(runs);
  auto* sweep_flag = app.add_flag("--sweep", sweep, "Stop a scripted run at every io call, restart, check.");
  app.add_option("--step", options.sweep_step, "Of the sweep: every n-th call only.")->needs(sweep_flag)->check(CLI::Range(uint64_t{1}, uint64_t{1} << 30));
  app.add_option("--crash-at", options.crash_at, "Of the sweep: this call only.")->needs(sweep_flag);
  app.add_flag("--bugs", bugs, "Look for each planted bug.");
  app.add_option("--bug", options.bug, "With --seed: run that seed with this planted bug, counted from 1.")->needs(seed);
  app.add_flag("--smoke", smoke, "A little of everything: what ./x test runs.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  bool good = true;
  if (smoke) good = Smoke();
  else if (sweep) good = options.crash_at != 0 ? RunCrashPoint(options) : Sweep(options);
  else if (bugs) good = FindPlantedBugs();
  else if (*runs) good = RunSeeds(options);
  else good = RunSeed(options, trace);
  return good ? 0 : 1;
}
