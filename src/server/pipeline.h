// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The way of an event without a socket: everything between a request's bytes and a row in a view. The engine puts a loop and
// front ends around it, the simulator (tests/sim) puts it into a world that obeys a seed.
//
//   directory ─▶ catalog ─▶ log ─▶ tables ─▶ pumps ─▶ gate        beside it: hot rows are loaded from the log

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "iceberg/catalog.h"
#include "ingest/gate.h"
#include "io/env.h"
#include "log/log.h"
#include "server/data_directory.h"
#include "server/options.h"
#include "server/table_feed.h"
#include "table/hot_loader.h"
#include "table/hot_spiller.h"
#include "table/registry.h"

namespace sluice::server {

// Belongs to one thread, the loop, which makes it, calls it and destroys it; what is thread-safe is said at the parts.
class Pipeline {
 public:
  // Everything up to the point where events are taken; pumps run. Rows that the log holds are loaded meanwhile: until then views do
  // not show their tables (TableView::is_loading). Errors are sentences for the person who started it. `options` and what is behind
  // `env` must outlive it.
  static Result<std::unique_ptr<Pipeline>> Open(io::Env env, const ServerOptions& options, const CatalogOpener& open_catalog);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;

  const DataDirectory& directory() const { return *directory_; }
  log::Log& log() { return *log_; }
  table::TableRegistry& registry() { return *registry_; }
  table::ChunkMemory& memory() { return *memory_; }
  ingest::Gate& gate() { return *gate_; }
  // How far the loading is, of each table that is not done.
  std::vector<table::LoadStatus> Loading() const { return loader_->Status(); }
  // One for each table, in the order of their making.
  const std::vector<std::unique_ptr<TableFeed>>& feeds() const { return feeds_; }
  // kNotFound, with the nearest name as hint. kInvalid: no table's name.
  Result<TableFeed*> FindFeed(std::string_view table);

  // Ages of hot rows, tiered offsets: several times a second. The log has its own Tick.
  void TickFeeds();
  // Moves everything that is durable now to the table, then calls `done` on the pump's thread (log/pump.h).
  void Flush(TableFeed& feed, int64_t timeout_us, std::function<void(Result<log::Progress>)> done);
  // Stops the pumps and closes the log cleanly. Nothing may be called afterwards.
  Result<void> Stop();

 private:
  Pipeline(io::Env env, const ServerOptions& options);
  Result<void> OpenStorage(const CatalogOpener& open_catalog);
  Result<void> OpenTables();
  Result<void> OpenGate();
  void OpenForgottenTopics();
  Result<void> LoadKnownProgress();
  Result<void> CheckLogReachesTables() const;
  Result<table::TableName> TableNameFor(const std::string& topic) const;
  Result<TableFeed*> AddTable(const log::Topic& topic);
  Result<void> LoadHotRows(TableFeed& feed);
  Result<void> TakesRows(const log::Topic& topic) const;
  bool IsShareFull(const table::Table& table) const;
  TableFeed* FeedOf(const log::Topic& topic) const;  // null: none yet

  io::Env env_;
  const ServerOptions& options_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<io::CatalogStore> catalog_store_;
  std::unique_ptr<iceberg::Catalog> catalog_;
  std::unique_ptr<table::ChunkMemory> memory_;
  std::unique_ptr<table::TableRegistry> registry_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<table::HotSpiller> spiller_;
  std::unique_ptr<table::HotLoader> loader_;
  struct FedTable {
    table::TableName table;
    table::FeedProgress progress;
  };
  std::map<std::string, FedTable> known_progress_;  // by topic, as the catalog's tables said at the start
  tier::WritingTurns turns_;
  std::vector<std::unique_ptr<TableFeed>> feeds_;
  std::unique_ptr<ingest::Gate> gate_;
};

}  // namespace sluice::server
