// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace sluice::sim {

struct IsolatedResult {
  bool ended_well = false;  // the child came to its end; false: it crashed, aborted or took too long
  std::string output;       // what `body` returned; else how the child ended
};

// Runs `body` in a child process, so that an abort of the engine is a finding of one run and not the end of all.
// REQUIRES: this process has one thread.
IsolatedResult RunIsolated(const std::function<std::string()>& body, int seconds_max);

}  // namespace sluice::sim
