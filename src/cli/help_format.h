// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sluice::cli {

// How --help shows flags: "--batch N", without the parser's words for types, bounds and exclusions: descriptions say those.
class HelpFormat final : public CLI::Formatter {
 public:
  HelpFormat();

 private:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace sluice::cli
