// SPDX-License-Identifier: Apache-2.0
//
// What libFuzzer calls. SLUICE_FUZZ_TARGET names the target; with SLUICE_FUZZ_SEEDS=DIRECTORY its seeds are written there, and that
// is all. With neither, the names of the targets are printed.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/fuzz_target.h"

namespace {

const sluice::base::FuzzTarget* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("SLUICE_FUZZ_TARGET");
  for (const auto& target : sluice::base::FuzzTargets()) {
    if (name == nullptr) std::printf("%.*s\n", static_cast<int>(target.name.size()), target.name.data());
    else if (target.name == name) chosen = &target;
  }
  if (name == nullptr) std::exit(0);
  if (chosen == nullptr) std::exit(2);
  if (const char* directory = std::getenv("SLUICE_FUZZ_SEEDS")) {
    int number = 0;
    for (const auto& seed : chosen->seeds()) std::ofstream(std::string(directory) + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
