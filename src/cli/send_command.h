// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/sender.h"

namespace sluice::cli {

// sluice send FILE|- [--records /features] [--map id=/id,...] [--topic T] [--sort time] [--lenient] ...
class SendAction final : public Action {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  std::string file_, url_, records_, map_, topic_, sort_;
  int64_t from_ = 1;
  std::optional<bool> gzip_;
  SenderOptions options_;
};

}  // namespace sluice::cli
