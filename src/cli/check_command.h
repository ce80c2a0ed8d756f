// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command.h"

namespace sluice::cli {

// sluice check DIR [--orphans]: offline; changes nothing in the log and the tables.
class CheckAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  std::string directory_;
  bool all_orphans_ = false;
};

}  // namespace sluice::cli
