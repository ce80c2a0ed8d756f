// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "cli/sql_runner.h"

namespace sluice::cli {

// sluice sql [-c SQL | -f FILE] [-o table|json|ndjson|csv] [--timezone TZ] [--timeout MS] [--data DIR]
class SqlAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  std::string statement_, file_, format_ = "table", zone_, data_, url_;
  SqlRunnerOptions options_;
};

}  // namespace sluice::cli
