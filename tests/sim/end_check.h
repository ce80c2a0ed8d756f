// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/run_state.h"

namespace sluice::sim {

// What the disk and the catalog hold when the server was stopped cleanly. REQUIRES: no actor runs. A finding, or nothing:
// damage that `sluice check` would report, snapshots whose progress is not what their rows say, files that nobody refers to.
std::string CheckEnd(RunState& run);

// After a catalog that lied, whatever was named: each acknowledged event is in the log, or in some data file of its table's directory, so
// that a catalog that is put right has it again. REQUIRES: as above. A finding, or nothing.
std::string CheckNothingLost(RunState& run);

}  // namespace sluice::sim
