// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command.h"

namespace sluice::cli {

// sluice restore --data DIR [--yes]
class RestoreAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  std::string data_ = "./sluice-data";
  bool yes_ = false;
};

}  // namespace sluice::cli
