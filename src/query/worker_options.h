// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice::query {

// How a worker process is bounded; its command line.
struct WorkerOptions {
  std::string nonce;           // part of the names of its files; hexadecimal
  uint64_t threads = 2;
  uint64_t memory_mb = 512;    // what DuckDB may use before it spills
  uint64_t data_mb = 1024;     // RLIMIT_DATA: what the process may have, whatever DuckDB thinks
  uint64_t spill_files = 8;
  uint64_t spill_mb = 256;     // a file
  bool trap = false;           // print and die at a refused system call
};

std::vector<std::string> ToArguments(const WorkerOptions& options);
// kInvalid: an unknown option or a value out of range. Words that do not start with "--" are skipped.
Result<WorkerOptions> ParseWorkerOptions(const std::vector<std::string>& arguments);

}  // namespace sluice::query
