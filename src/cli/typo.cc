// SPDX-License-Identifier: Apache-2.0
#include "cli/typo.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "server/config_keys.h"

namespace sluice::cli {
namespace {

std::string DidYouMean(const std::string& name, const std::vector<std::string>& known, const std::string& before) {
  const auto nearest = server::Nearest(name, std::vector<std::string_view>(known.begin(), known.end()));
  return nearest.empty() ? std::string() : "did you mean `" + before + nearest + "`?";
}

std::vector<CLI::App*> Subcommands(CLI::App& app) {
  return app.get_subcommands([](CLI::App*) { return true; });
}

Typo UnknownFlag(CLI::App& level, const std::string& flag) {
  std::vector<std::string> known;
  for (auto* option : level.get_options())
    for (auto& name : option->get_lnames()) known.push_back("--" + name);
  return {"there is no flag " + flag, DidYouMean(flag, known, "")};
}

Typo UnknownCommand(CLI::App& app, const std::string& name) {
  std::vector<std::string> known;
  for (auto* sub : Subcommands(app)) known.push_back(sub->get_name());
  return {"there is no command \"" + name + "\"", DidYouMean(name, known, app.get_name() + " ")};
}

}  // namespace

std::optional<Typo> FindTypo(CLI::App& app, const std::vector<std::string>& arguments) {
  CLI::App* level = &app;
  for (auto& argument : arguments) {
    if (argument == "--") break;
    if (argument.starts_with("--")) {
      const auto flag = argument.substr(0, argument.find('='));
      if (level->get_option_no_throw(flag) == nullptr) return UnknownFlag(*level, flag);
    } else if (!argument.starts_with('-') && level == &app && !Subcommands(app).empty()) {
      const auto named = app.get_subcommands([&](CLI::App* sub) { return sub->get_name() == argument; });
      if (named.empty()) return UnknownCommand(app, argument);
      level = named.front();
    }
  }
  if (level == &app && app.get_require_subcommand_min() > 0) {
    std::string all;
    for (auto* sub : Subcommands(app)) all += (all.empty() ? "" : ", ") + sub->get_name();
    return Typo{"say which: " + all, {}};
  }
  return std::nullopt;
}

}  // namespace sluice::cli
