// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command.h"

namespace sluice::cli {

// sluice docs cli|config|errors|metrics: a page of docs/reference/ as this binary knows it. A test compares them with the files.
class DocsAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  std::string page_;
};

std::string CliPage();
std::string ConfigPage();
std::string ErrorsPage();
std::string MetricsPage();

}  // namespace sluice::cli
