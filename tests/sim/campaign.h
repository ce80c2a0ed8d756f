// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Many runs, and what is printed about them: findings and sums to stdout, how far it is to stderr. Each function answers whether all
// was as it should be.

#include <cstddef>
#include <cstdint>

namespace sluice::sim {

// What all runs of a search have in common.
enum class SeedKind : uint8_t { kAny, kDiskLies, kCatalogLies, kRivals, kVisits };

struct CampaignOptions {
  uint64_t seed_first = 1;
  uint64_t runs = 1;        // of RunSeeds; 0: until `seconds_max`
  double seconds_max = 0;   // of real time, after which no further run begins; 0: no bound
  uint64_t call_first = 1;  // of the sweep
  uint64_t sweep_step = 1;
  uint64_t crash_at = 0;
  size_t bug = 0;            // from 1; 0: none
  bool without_bug = false;  // its scenario, but the right engine
  SeedKind kind = SeedKind::kAny;
  size_t jobs = 1;  // processes at a time
};

// The first seed, in this process, so that a debugger sees it. With a planted bug the answer is whether it was not found.
bool RunSeed(const CampaignOptions& options, bool trace);
// Goes on behind a failure, and prints for each the command that repeats it.
bool RunSeeds(const CampaignOptions& options);
// The scripted run of the first seed, stopped at the calls call_first, call_first + step, ...: by a power failure and by a kill.
bool Sweep(const CampaignOptions& options);
// One of its runs, in this process.
bool RunCrashPoint(const CampaignOptions& options, bool trace);
// Good when every one is found by the seeds from seed_first on.
bool FindPlantedBugs(const CampaignOptions& options);
// Seeds, the same seed twice, a coarse sweep, planted bugs: about three minutes of one processor.
bool Smoke(const CampaignOptions& options);

}  // namespace sluice::sim
