// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Where a run can be wired wrongly on purpose: the planted bugs use it, a normal run leaves everything empty.

#include <functional>
#include <memory>

#include "io/catalog_store.h"
#include "io/file_system.h"
#include "io/sockets.h"
#include "log/log.h"
#include "server/pipeline.h"
#include "table/registry.h"

namespace sluice::sim {

// What a function makes stands between the engine and what it is given, which outlives it.
struct Wiring {
  std::function<std::unique_ptr<io::FileSystem>(io::FileSystem&)> files;
  std::function<std::unique_ptr<io::CatalogStore>(io::CatalogStore&)> catalog;
  std::function<std::unique_ptr<log::LogListener>(log::LogListener&)> listener;
  std::function<void(server::ServerOptions&)> options;
  std::function<std::unique_ptr<io::Network>(io::Network&)> network;     // of the HTTP front
  std::function<void(server::Pipeline&)> on_round;  // after each round of the loop
  bool answers_before_durable = false;
  bool answers_pending_duplicates = false;  // a request of duplicates is answered before what it repeats is durable
};

}  // namespace sluice::sim
