// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads settings from a YAML file and from the environment.
//
//   tier: {interval_ms: 5000}
//   routing:
//     rules: [{type: "order.*", topic: raw-orders}]
//   topics:
//     raw-orders: {partitions: 12, key: [/data/order_id], partitioning: "identity(type), day(time)"}

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/options.h"

namespace sluice::server {

// Applies a configuration file to `options`. kInvalid names file, line and key, for an unknown key also the nearest known one.
// On error `options` is half changed: do not use it.
Result<void> ApplyConfigText(std::string_view yaml, const std::string& file, ServerOptions& options);

// Applies SLUICE_... variables. `lookup` answers the value of a variable, or nothing.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string&)>;
Result<void> ApplyEnvironment(const EnvironmentLookup& lookup, ServerOptions& options);

}  // namespace sluice::server
