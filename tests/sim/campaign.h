// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Many runs, and what is printed about them. Each function answers whether all was as it should be.

#include <cstddef>
#include <cstdint>

namespace sluice::sim {

struct CampaignOptions {
  uint64_t seed_first = 1;
  uint64_t runs = 1;
  int64_t seconds_max = 0;  // of real time, after which no further run begins; 0: no bound
  uint64_t sweep_step = 1;
  uint64_t crash_at = 0;
  size_t bug = 0;  // from 1; 0: none
};

// The first seed, in this process, so that a debugger sees it. With a planted bug the answer is whether it was not found.
bool RunSeed(const CampaignOptions& options, bool trace);
// Goes on behind a failure, and prints for each the command that repeats it.
bool RunSeeds(const CampaignOptions& options);
// The scripted run, stopped at the calls seed_first, seed_first + step, ...: by a power failure and by a kill.
bool Sweep(const CampaignOptions& options);
// One of its runs, in this process.
bool RunCrashPoint(const CampaignOptions& options);
// Good when every one is found.
bool FindPlantedBugs();
// Seeds, the same seed twice, a coarse sweep, planted bugs: about a minute.
bool Smoke();

}  // namespace sluice::sim
