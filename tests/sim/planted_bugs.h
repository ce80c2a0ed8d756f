// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Engines that are wrong in one place, made by wiring and not by changing the product: a simulator that does not find them is blind.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/scenario.h"
#include "sim/wiring.h"

namespace sluice::sim {

struct PlantedBug {
  std::string name;
  Wiring wiring;
  void (*prepare)(Scenario& scenario) = nullptr;  // makes what the bug needs likelier; null: nothing
};

const std::vector<PlantedBug>& PlantedBugs();

// The scenario in which a seed looks for a planted bug: crashes, and no injected error that could hide it.
Scenario BugScenario(const PlantedBug& bug, uint64_t seed);

}  // namespace sluice::sim
