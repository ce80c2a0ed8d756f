// SPDX-License-Identifier: Apache-2.0
//
// sluice_sim: the simulator's command line. Exit codes: 0 every invariant held, 1 one did not, 2 usage.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "sim/run.h"

int main(int argc, char** argv) {
  using namespace sluice;
  CLI::App app("Runs the engine in a world that obeys a seed, and checks what it promises.", "sim");
  uint64_t seed = 1, runs = 1;
  bool trace = false;
  app.add_option("--seed", seed, "The run's seed, or the first of several.");
  app.add_option("--runs", runs, "How many seeds.");
  app.add_flag("--trace", trace, "Print the log of the run.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  for (uint64_t s = seed; s < seed + runs; s++) {
    auto scenario = sim::RandomScenario(s);
    auto result = sim::RunScenario(scenario);
    std::printf("seed %lu: %s; %lu io calls, %ld events, %ld acknowledged, %ld rows, %ld views, %ld lives, %ld unanswered, trace %016lx\n", s, scenario.ToString().c_str(), result.io_calls,
                result.events, result.acknowledged, result.rows_seen, result.views, result.lives, result.unanswered, result.trace_hash);
    if (trace || !result.ok()) std::fputs(result.log.c_str(), stdout);
    if (!result.ok()) {
      std::printf("seed %lu: %s\nrepeat it with: ./x sim --seed %lu\n", s, result.finding.c_str(), s);
      return 1;
    }
  }
  return 0;
}
