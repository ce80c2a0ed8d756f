// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The commands of the binary, as one table: what `sluice help` prints, docs/reference/cli.md says and main runs.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace sluice::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// One command: its flags are its members. Made, defined, parsed, run, thrown away.
class Action {
 public:
  virtual ~Action() = default;
  // Binds flags and subcommands to members.
  virtual void Define(CLI::App& app) = 0;
  // After parsing. Returns the exit code, and says what is wrong on stderr itself.
  virtual int Run() = 0;
};

struct Command {
  std::string_view name;         // "serve", "topic"
  std::string_view description;  // one sentence
  std::unique_ptr<Action> (*make)();
  bool hidden = false;  // not for users: neither in `sluice help` nor in the documents
};

std::span<const Command> Commands();

// Finds the command and runs it. No arguments: says what to type next.
int RunCommand(const std::vector<std::string>& arguments);

// What `sluice NAME --help` prints.
std::string HelpOf(const Command& command);

// "sluice: message (hint)" on stderr. Returns kExitUsage for kInvalid arguments, else kExitFailed.
int Fail(const Error& error);

}  // namespace sluice::cli
