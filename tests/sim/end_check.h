// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/run_state.h"

namespace sluice::sim {

// What the disk and the catalog hold when the server was stopped cleanly. REQUIRES: no actor runs. A finding, or nothing:
// damage that `sluice check` would report, snapshots whose progress is not what their rows say, files that nobody refers to.
std::string CheckEnd(RunState& run);

}  // namespace sluice::sim
