// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One table with everything that moves its rows: source, consumer and pump.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "iceberg/catalog.h"
#include "io/env.h"
#include "log/pump.h"
#include "table/registry.h"
#include "table/table_committer.h"
#include "tier/hot_source.h"
#include "tier/tier_consumer.h"

namespace sluice::server {

// What the log remembers of the topic's table; nothing: it never fed one, or the entry cannot be read (which is logged).
std::optional<table::KnownTable> KnownTableOf(const log::Log& log, const std::string& topic, io::Logger& logger);

// Belongs to the loop; what is thread-safe is said at the parts. References must outlive it.
class TableFeed {
 public:
  TableFeed(io::Env env, iceberg::Catalog& catalog, log::Log& log, table::TableRegistry& registry, table::Table& table,
            table::ChunkMemory& memory, tier::WritingTurns& turns, const tier::TierOptions& options, std::optional<table::KnownTable> known);

  // Reads or creates the table. Its error is not the end: the pump then pauses or tries again, and statements say so.
  Result<void> Open() { return Done(consumer_.Load()); }
  void Start() { pump_.Start(); }
  void Stop() { pump_.Stop(); }
  // After each round of the loop.
  void Tick();
  // Ends a pause. `from`: where to go on; nothing: where the table says. `done` runs on the pump's thread.
  void Resume(std::optional<tier::ResumeFrom> from, std::function<void(Result<void>)> done);

  table::Table& table() { return table_; }
  log::Pump& pump() { return pump_; }
  tier::HotSource& source() { return source_; }

 private:
  void Remember(table::KnownTable known);
  static Result<void> Done(Result<log::Progress> loaded);
  log::Log& log_;
  table::TableRegistry& registry_;
  table::Table& table_;
  tier::HotSource source_;
  tier::TierConsumer consumer_;
  log::Pump pump_;
  std::shared_ptr<const table::TableVersion> told_;  // the newest version whose progress the log knows
  std::optional<table::KnownTable> remembered_;      // in the log's state
  bool is_forgetful_ = false;                        // the log did not take what is to be remembered
};

}  // namespace sluice::server
