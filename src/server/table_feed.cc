// SPDX-License-Identifier: Apache-2.0
#include "server/table_feed.h"

namespace sluice::server {
namespace {

constexpr size_t kThreadNameMax = 15;

log::PumpOptions PumpOptionsFor(table::Table& table) {
  log::PumpOptions out;
  out.name = ("tier-" + table.name().name).substr(0, kThreadNameMax);
  out.tell_failing = [&table](bool failing) { table.set_stuck(failing); };
  return out;
}

}  // namespace

TableFeed::TableFeed(io::Env env, iceberg::Catalog& catalog, log::Log& log, table::TableRegistry& registry, table::Table& table,
                     table::ChunkMemory& memory, tier::WritingTurns& turns, const tier::TierOptions& options, std::optional<table::KnownTable> known)
    : log_(log),
      registry_(registry),
      table_(table),
      source_(env, log.source(), table, memory, options),
      consumer_(env, source_, table, memory, table::TableCommitter(catalog, env, registry, table, log.journal_id(), known), turns, options),
      pump_(env, source_, consumer_, {table.topic_name()}, PumpOptionsFor(table)),
      remembered_(std::move(known)) {}

Result<void> TableFeed::Done(Result<log::Progress> loaded) {
  if (!loaded.ok()) return std::move(loaded).error();
  return {};
}

void TableFeed::Tick() {
  source_.Tick();
  auto version = registry_.Version(table_);
  if (version == nullptr) return;
  if (version != told_) log_.SetTiered(table_.topic_name(), version->progress.offsets());
  if (version != told_ || is_forgetful_) Remember({version->metadata.table_uuid, version->progress});
  told_ = version;
}

// A full commit, or a log that closes, takes no entry: the next round, or the next start, tells it again.
void TableFeed::Remember(table::KnownTable known) {
  is_forgetful_ = remembered_ != known && !log_.PutState(table::kTablesStateTopic, table_.topic_name(), table::FormatKnownTable(known)).ok();
  if (!is_forgetful_) remembered_ = std::move(known);
}

void TableFeed::Resume(std::optional<tier::ResumeFrom> from, std::function<void(Result<void>)> done) {
  log::Pump::Settle settle;
  if (from) settle = [this, from = std::move(*from)] { return consumer_.Settle(from); };
  pump_.Resume(std::move(settle), std::move(done));
}

std::optional<table::KnownTable> KnownTableOf(const log::Log& log, const std::string& topic, io::Logger& logger) {
  const auto& tables = log.StateOf(table::kTablesStateTopic);
  auto at = tables.find(topic);
  if (at == tables.end()) return std::nullopt;
  auto known = table::ParseKnownTable(at->second);
  if (known.ok()) return std::move(*known);
  logger.Warn("what the log remembers of a table cannot be read", {{"topic", topic}, {"cause", known.error().ToString()}});
  return std::nullopt;
}

}  // namespace sluice::server
