// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One run: a world, the lives of a server in it, clients around it, checks at every view and at the end.

#include <cstdint>
#include <string>

#include "sim/scenario.h"
#include "sim/supervisor.h"
#include "sim/wiring.h"

namespace sluice::sim {

struct RunResult {
  std::string finding;  // empty: every invariant held
  uint64_t io_calls = 0;
  uint64_t trace_hash = 0;
  int64_t events = 0, acknowledged = 0, rows_seen = 0, views = 0, lives = 0, crashes = 0, unanswered = 0;
  std::string settled, lie;  // what ended the run before its time: damage that was named; what the disk did to it
  Reached reached;
  std::string log;  // the newest log lines, with simulated time and process
  bool ok() const { return finding.empty(); }
};

RunResult RunScenario(const Scenario& scenario, const Wiring& wiring = {}, CrashPoint crash = {});

}  // namespace sluice::sim
