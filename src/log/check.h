// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The offline check of a log: every checksum of every file. Reads only.

#include <string>
#include <vector>

#include "base/path.h"
#include "io/env.h"

namespace sluice::log {

struct LogCheck {
  std::vector<std::string> passed;    // a line for each part that is as it should be
  std::vector<std::string> findings;  // a sentence for each thing that is not: it names the file, and the byte where it can
};

// `directory`: as given to Log::Open, which must not be in use. A damaged part does not end the check of the others. A torn tail
// is no finding: it is what a crash leaves, and the next start cuts it off.
LogCheck CheckLog(io::Env env, const Path& directory);

}  // namespace sluice::log
