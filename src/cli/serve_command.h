// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "io/env.h"
#include "server/options.h"

namespace sluice::cli {

// sluice serve [--data DIR] [--listen HOST:PORT] [--config FILE] [--insecure] [--set KEY=VALUE]...
class ServeAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  Result<server::ServerOptions> ReadOptions(io::Env env) const;

  std::string data_, listen_, config_;
  bool insecure_ = false;
  std::vector<std::string> settings_;
};

// SLUICE_... variables of this process over what `options` hold.
Result<void> ApplyProcessEnvironment(server::ServerOptions& options);
// Absolute, without links and a trailing '/': what server::DataDirectory wants.
Path CanonicalDirectory(const Path& path);

}  // namespace sluice::cli
