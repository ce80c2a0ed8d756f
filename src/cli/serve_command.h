// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

// sluice serve [--data DIR] [--listen HOST:PORT] [--config FILE] [--insecure] [--set KEY=VALUE]...
int RunServe(const std::vector<std::string>& arguments);

}  // namespace sluice::cli
