// SPDX-License-Identifier: Apache-2.0
#include "cli/help_format.h"

namespace sluice::cli {

HelpFormat::HelpFormat() {
  label("SUBCOMMAND", "COMMAND");
  label("Positionals", "Arguments");
}

std::string HelpFormat::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional) return option->get_name(true, false);
  std::string out;
  for (auto& name : option->get_snames()) out += (out.empty() ? "-" : ", -") + name;
  for (auto& name : option->get_lnames()) out += (out.empty() ? "--" : ", --") + name;
  return out;
}

// The type name, which the parser keeps with the bounds behind a ':', and "..." behind what may be repeated.
std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || option->get_type_size() == 0) return {};
  const std::string type = option->get_type_name();
  return " " + type.substr(0, type.find(':')) + (option->get_expected_max() == CLI::detail::expected_max_vector_size ? " ..." : "");
}

}  // namespace sluice::cli
