// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/catalog_store.h"

namespace sluice::io {

// The rows of the simulated catalog. Every change is durable at once.
struct SimulatedCatalogRows {
  using TableName = std::pair<std::string, std::string>;  // namespace, table
  std::map<std::string, std::map<std::string, std::string>> namespaces;
  std::map<TableName, CatalogRow> tables;
  // Changes of unknown outcome that are still on their way.
  std::vector<std::function<Result<void>(SimulatedCatalogRows&)>> late;
};

}  // namespace sluice::io
