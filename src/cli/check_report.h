// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

// What a check of a data directory found.
struct CheckReport {
  std::vector<std::string> passed;    // a line for each part that is as it should be
  std::vector<std::string> notes;     // what is neither: it needs nobody
  std::vector<std::string> findings;  // a sentence for each thing that is not: it names the file
};

}  // namespace sluice::cli
