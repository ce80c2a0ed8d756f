// SPDX-License-Identifier: Apache-2.0
#include "server/table_feed.h"

namespace sluice::server {
namespace {

constexpr size_t kThreadNameMax = 15;

log::PumpOptions PumpOptionsFor(const table::Table& table) {
  log::PumpOptions out;
  out.name = ("tier-" + table.name().name).substr(0, kThreadNameMax);
  return out;
}

}  // namespace

TableFeed::TableFeed(io::Env env, iceberg::Catalog& catalog, log::Log& log, table::TableRegistry& registry, table::Table& table, table::ChunkMemory& memory,
                     const tier::TierOptions& options)
    : log_(log), registry_(registry), table_(table), source_(env, log.source(), table, memory, options),
      consumer_(env, source_, table, table::TableCommitter(catalog, env, registry, table, log.journal_id()), options),
      pump_(env, source_, consumer_, {table.topic_name()}, PumpOptionsFor(table)) {}

Result<void> TableFeed::Done(Result<log::Progress> loaded) {
  if (!loaded.ok()) return std::move(loaded).error();
  return {};
}

void TableFeed::Tick() {
  source_.Tick();
  auto version = registry_.Version(table_);
  if (version == told_ || version == nullptr) return;
  told_ = version;
  log_.SetTiered(table_.topic_name(), version->progress.offsets());
}

}  // namespace sluice::server
