// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The commands of the binary, as one table: what `sluice help` prints, docs/reference/cli.md says and main runs.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

struct Command {
  std::string_view name;         // "serve", "topic"
  std::string_view description;  // one line
  // `arguments` without program and command names. Returns the exit code; says what is wrong on stderr itself.
  int (*run)(const std::vector<std::string>& arguments);
};

std::span<const Command> Commands();

// Finds the command and runs it. No arguments: says what to type next.
int RunCommand(const std::vector<std::string>& arguments);

// "sluice: message (hint)" on stderr. Returns kExitUsage for kInvalid arguments, else kExitFailed.
int Fail(const Error& error);

}  // namespace sluice::cli
