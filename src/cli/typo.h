// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sluice::cli {

// A name on a command line that does not exist.
struct Typo {
  std::string what;  // "there is no flag --timeot"
  std::string hint;  // "did you mean `--timeout`?"; empty: nothing is near
};

// The first subcommand or long flag of `arguments` that `app`, or the subcommand they have reached, does not know; or that there is
// no subcommand at all. For command lines that were refused: values of flags are not told from words, so in one that is fine it might find something.
std::optional<Typo> FindTypo(CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace sluice::cli
