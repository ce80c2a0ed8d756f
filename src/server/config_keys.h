// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one table of settings: their names in the file and in the environment, what they mean, how they are read.
// docs/reference/configuration.md is printed from it.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/options.h"

namespace sluice::server {

struct ConfigKey {
  std::string_view name;         // "tier.interval_ms"; in the environment SLUICE_TIER__INTERVAL_MS
  std::string_view description;  // one sentence
  // Sets the option from text. kInvalid says what is expected.
  Result<void> (*set)(ServerOptions& options, std::string_view text);
  std::string (*get)(const ServerOptions& options);
};

std::span<const ConfigKey> ConfigKeys();
// Null: no such key.
const ConfigKey* FindConfigKey(std::string_view name);
std::string EnvironmentName(const ConfigKey& key);

// The candidate nearest to `name` by edit distance, empty when none is near.
std::string Nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace sluice::server
