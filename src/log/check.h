// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The offline check of a log: every checksum of every file. Reads only.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/path.h"
#include "io/env.h"
#include "log/reader.h"
#include "log/types.h"

namespace sluice::log {

struct LogCheck {
  std::vector<std::string> passed;    // a line for each part that is as it should be
  std::vector<std::string> findings;  // a sentence for each thing that is not: it names the file, and the byte where it can

  std::string journal_id;  // empty: its file is missing or damaged
  // What readers would see of the log, for comparing tables with it; null when something was found. Lives on its own, `env` must
  // outlive it.
  std::unique_ptr<LogSource> source;
  // Of each topic: the offsets at which its partitions began, where that was not 0.
  std::map<std::string, std::map<LogPartition, Offset>> first_offsets;
  // The newest values of each state topic.
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> state;
};

// `directory`: as given to Log::Open, which must not be in use. A damaged part does not end the check of the others. A torn tail
// is no finding: it is what a crash leaves, and the next start cuts it off.
LogCheck CheckLog(io::Env env, const Path& directory);

}  // namespace sluice::log
