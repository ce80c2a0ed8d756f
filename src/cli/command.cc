// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <cstdio>

#include "base/version.h"
#include "cli/serve_command.h"
#include "server/config_keys.h"

namespace sluice::cli {
namespace {

int RunVersion(const std::vector<std::string>&) {
  std::printf("sluice %s\n", std::string(base::kVersion).c_str());
  return kExitOk;
}

int PrintHelp(std::FILE* to) {
  std::fprintf(to, "sluice: the gate between event streams and a lake\n\n");
  for (auto& command : Commands()) std::fprintf(to, "  sluice %-8s %s\n", std::string(command.name).c_str(), std::string(command.description).c_str());
  std::fprintf(to, "\n`sluice COMMAND --help` tells more. To begin: `sluice serve`\n");
  return kExitOk;
}

int RunHelp(const std::vector<std::string>&) { return PrintHelp(stdout); }

constexpr Command kCommands[] = {
    {"serve", "runs the server", RunServe},
    {"version", "prints the version", RunVersion},
    {"help", "prints this", RunHelp},
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

int RunCommand(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return PrintHelp(stdout);
  std::string name = arguments[0];
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version") name = "version";
  for (auto& command : Commands())
    if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
  std::vector<std::string_view> names;
  for (auto& command : Commands()) names.push_back(command.name);
  const auto nearest = server::Nearest(name, names);
  std::fprintf(stderr, "sluice: there is no command \"%s\" (%s)\n", name.c_str(), nearest.empty() ? "`sluice help` lists them" : ("did you mean `sluice " + nearest + "`?").c_str());
  return kExitUsage;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "sluice: %s\n", error.ToString().c_str());
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace sluice::cli
