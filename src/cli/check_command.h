// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command.h"

namespace sluice::cli {

// sluice check DIR: offline; changes nothing in the log and the tables.
class CheckAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  std::string directory_;
};

}  // namespace sluice::cli
