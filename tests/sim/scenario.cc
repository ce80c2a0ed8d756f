// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <algorithm>

#include "sim/dice.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kScenarioStream = 1, kLieStream = 3, kHttpStream = 4, kCatalogLieStream = 5, kVisitStream = 6;
constexpr uint64_t kChunkBytes = uint64_t{128} << 10;  // some 40 rows that are large, 256 that are small

// Small enough that segments fill, runs are sealed, files are cut and snapshots expire within a few hundred events.
server::ServerOptions SmallServer() {
  server::ServerOptions out;
  out.data = "/data";
  out.log.segment_bytes = 64 << 10;
  out.log.journal_bytes_max = 4 * out.log.segment_bytes;
  out.log.tail_bytes_max = 64 << 10;
  out.log.partitions_default = 3;
  out.log.dedup_run_keys_max = 40;
  out.log.idle_mark_delay_us = 2'000;
  out.hot_chunk_bytes = kChunkBytes;
  out.hot_bytes_max = 12 * kChunkBytes;
  out.hot_disk_bytes_max = 16 * kChunkBytes;
  out.tier.interval_us = 200'000;
  out.tier.interval_stretch_max = 2;
  out.tier.snapshot_age_us_max = 40 * kMicrosPerSecond;
  out.tier.snapshots_min = 2;
  out.tier.expiry_interval_us = 10 * kMicrosPerSecond;
  return out;
}

void BeCalm(Scenario& scenario) {
  scenario.faults = {};
  scenario.full_disks = scenario.table_outages = scenario.visits = 0;
  scenario.message_lost_one_in = 0;
  scenario.message_delay_us_max = 0;
  scenario.http.is_used = false;
  scenario.has_rival = scenario.restores = false;
}

void AddLie(Scenario& scenario, Dice& dice) {
  using Kind = io::DiskLie::Kind;
  static constexpr Kind kKinds[] = {Kind::kRottenBit, Kind::kRottenRead, Kind::kLostWrite, Kind::kMisdirectedWrite};
  constexpr std::string_view kHotFiles = "/hot/";
  // Of each part how many calls a run makes there, about: of data files those of ".../events/data/".
  struct Part {
    std::string_view path;
    int64_t calls;
  };
  static constexpr Part kParts[] = {{"/log/journal/", 80},    {"/log/", 80},   {"/log/dedup/", 6}, {"/log/topics/", 6}, {"/metadata/", 60},
                                    {"/log/checkpoints/", 6}, {"s/data/", 60}, {kHotFiles, 6}};
  const auto& part = dice.Pick(kParts);
  BeCalm(scenario);
  // Files of hot rows have no names, and are mapped as soon as they are written: of them only a read can lie.
  const auto kind = part.path == kHotFiles ? Kind::kRottenRead : dice.Pick(kKinds);
  scenario.faults.lie = {kind, std::string(part.path), static_cast<uint64_t>(dice.Between(1, part.calls))};
  scenario.has_second_act = false;
  scenario.crashes = static_cast<int>(dice.Between(1, 6));
}

// As many visits as requests, about, and files to find.
void AddVisits(Scenario& scenario, Dice& dice) {
  scenario.visits = static_cast<int>(dice.Between(10, 40));
  scenario.pause_us_max = std::max<int64_t>(scenario.pause_us_max, 20'000);
  scenario.visit_pause_us_max = scenario.pause_us_max;
  scenario.requests += 10;
  scenario.server.tier.interval_us = std::min(scenario.server.tier.interval_us, scenario.pause_us_max);
}

void AddCatalogLie(Scenario& scenario, Dice& dice) {
  using Kind = io::CatalogLie::Kind;
  static constexpr Kind kKinds[] = {Kind::kLostCommit, Kind::kLostAtCrash, Kind::kRolledBack, Kind::kOldAnswer,
                                    Kind::kOtherTable, Kind::kOtherAnswer, Kind::kForgotten,  Kind::kNoneAnswer};
  constexpr int64_t kCallsMax = 20;  // most runs make more
  BeCalm(scenario);
  const auto kind = dice.Pick(kKinds);
  scenario.faults.catalog_lie = {kind, static_cast<uint64_t>(dice.Between(1, kCallsMax))};
  scenario.crashes = static_cast<int>(dice.Between(1, 6));
}

// A body takes dozens of turns through a small window. With long ones it would never come within the time that a body has.
constexpr uint64_t kSmallWindowBytes = 1'000;
constexpr int64_t kSmallWindowTravelUsMax = 5'000;

// A network below connections does worse things than one below requests, except that it repeats nothing; the front knows one tenant.
void AddHttp(Scenario& scenario, Dice& dice) {
  auto& http = scenario.http;
  http.is_used = true;
  http.options.head_timeout_ms = dice.Between(50, 3'000);
  http.options.body_timeout_ms = dice.Between(100, 3'000);
  http.options.idle_timeout_ms = dice.Between(50, 5'000);
  http.options.write_timeout_ms = dice.Between(100, 3'000);
  http.options.linger_timeout_ms = dice.Between(10, 2'000);
  http.options.connections_max = static_cast<size_t>(dice.Between(6, 12));
  static constexpr int64_t kTricklesUs[] = {5'000, 100'000, 600'000};
  http.trickle_us_max = dice.Pick(kTricklesUs);
  http.crowds = dice.OneIn(3) ? static_cast<int>(dice.Between(1, 4)) : 0;
  http.stops = dice.OneIn(3) ? static_cast<int>(dice.Between(1, 4)) : 0;
  scenario.workload.tenants = 1;
  scenario.patience_us = dice.Between(500, 2'000) * kMicrosPerMilli;
  scenario.double_delivery_one_in = 0;
  scenario.message_lost_one_in = 0;
  scenario.message_delay_us_max = 0;
  auto& faults = scenario.faults;
  faults.travel_us_max = dice.OneIn(3) ? 0 : dice.Between(100, 50'000);
  faults.piece_bytes_max = dice.Coin() ? 0 : 2'000;
  faults.window_bytes_max = dice.OneIn(3) ? kSmallWindowBytes : 64'000;
  if (faults.window_bytes_max == kSmallWindowBytes) faults.travel_us_max = std::min(faults.travel_us_max, kSmallWindowTravelUsMax);
  if (dice.Coin()) faults.connection_reset = 0.01;
  if (dice.OneIn(3)) faults.connection_stalled = 0.003;
  if (dice.OneIn(4)) faults.accept_exhausted = 0.1;
}

}  // namespace

void UseHttp(Scenario& scenario) {
  Dice dice(scenario.seed, kHttpStream);
  AddHttp(scenario, dice);
}

Scenario RandomScenario(uint64_t seed) {
  Dice dice(seed, kScenarioStream);
  Scenario out;
  out.seed = seed;
  out.server = SmallServer();
  out.server.log.partitions_default = static_cast<int32_t>(dice.Between(1, 4));
  out.server.log.dedup_run_keys_max = static_cast<uint32_t>(dice.Between(10, 200));
  out.server.log.tail_bytes_max = dice.Coin() ? 16 << 10 : 1 << 20;
  if (dice.OneIn(3)) out.server.log.segment_bytes *= 2, out.server.log.journal_bytes_max *= 2;
  if (dice.OneIn(6)) out.server.log.untiered_bytes_max = 150'000;
  out.server.tier.interval_us = dice.Between(10, 1'000) * kMicrosPerMilli;
  if (dice.Coin()) {
    out.server.tier.expiry_interval_us = 100'000;
    out.server.tier.snapshot_age_us_max = 300'000;
    out.server.tier.snapshots_min = static_cast<int32_t>(dice.Between(1, 3));
  }
  if (dice.OneIn(3)) out.server.tier.rows_max = static_cast<uint64_t>(dice.Between(5, 50));
  if (dice.OneIn(3)) out.server.partitioning = dice.Coin() ? "" : "bucket[3](id)";
  if (dice.OneIn(3)) out.server.tier.files.row_group_rows_max = 16;

  out.senders = static_cast<int>(dice.Between(1, 4));
  out.requests = static_cast<int>(dice.Between(4, 25));
  out.readers = static_cast<int>(dice.Between(1, 2));
  out.flushes = dice.OneIn(3) ? static_cast<int>(dice.Between(1, 6)) : 0;
  out.pause_us_max = dice.Coin() ? 2'000 : 100'000;
  out.long_pause_one_in = dice.OneIn(3) ? 6 : 0;
  if (out.long_pause_one_in != 0) out.view_pause_us_max = 20 * kMicrosPerSecond;
  out.patience_us = dice.OneIn(3) ? 3'000 : 300'000;
  out.view_held_us_max = dice.Coin() ? 0 : 5 * kMicrosPerSecond;
  out.workload.events_max = static_cast<int>(dice.Between(1, 20));
  out.workload.data_bytes_max = dice.OneIn(3) ? 2'000 : 200;
  out.workload.duplicate_one_in = static_cast<uint64_t>(dice.Between(2, 12));
  out.crashes = dice.OneIn(5) ? 0 : static_cast<int>(dice.Between(1, 6));

  if (dice.OneIn(3)) {
    out.faults.catalog_unavailable = 0.05;
    out.faults.catalog_unknown = 0.15;
    out.faults.catalog_late = dice.Coin();
  }
  if (dice.OneIn(4)) out.faults.object_unavailable = 0.02;
  if (dice.OneIn(6)) out.faults.sync_error = 0.002;
  if (dice.OneIn(6)) out.faults.write_error = 0.002;
  if (dice.OneIn(6)) out.faults.read_error = 0.002;
  if (dice.OneIn(4)) out.clock_jumps = static_cast<int>(dice.Between(1, 8));
  if (dice.OneIn(5)) out.full_disks = static_cast<int>(dice.Between(1, 4));

  if (dice.OneIn(3)) {
    out.table_outages = static_cast<int>(dice.Between(1, 3));
    out.outage_us_max = (dice.Coin() ? 2 : 20) * kMicrosPerSecond;
    // Enough rows that memory gets short meanwhile; requests that fit into a commit.
    out.workload.data_bytes_max = 4'000;
    out.workload.events_max = 8;
    out.requests += 20;
    out.senders += 1;
    out.pause_us_max = 2'000;
  }
  if (dice.Coin()) {
    out.server.hot_bytes_max = static_cast<uint64_t>(dice.Between(8, 12)) * kChunkBytes;
    out.server.hot_disk_bytes_max = static_cast<uint64_t>(dice.Between(0, 12)) * kChunkBytes;
  }
  if (dice.OneIn(4)) out.double_delivery_one_in = 3;
  out.has_second_act = dice.OneIn(3);
  if (dice.OneIn(3)) {
    out.message_lost_one_in = static_cast<uint64_t>(dice.Between(3, 20));
    out.message_delay_us_max = (dice.Coin() ? 10 : 2'000) * kMicrosPerMilli;
    if (dice.Coin()) out.double_delivery_one_in = 4;
  }
  if (dice.OneIn(4)) {
    out.has_rival = true;
    out.has_second_act = false;
  }
  out.restores = out.has_second_act && dice.Coin();
  if (dice.OneIn(8)) AddLie(out, dice);
  else if (!out.has_rival && !out.has_second_act && dice.Coin()) AddVisits(out, dice);
  Dice catalog(seed, kCatalogLieStream);
  if (catalog.OneIn(12) && out.faults.lie.kind == io::DiskLie::Kind::kNone) AddCatalogLie(out, catalog);
  Dice http(seed, kHttpStream);
  if (http.OneIn(3) && !out.has_lie()) AddHttp(out, http);
  if (out.has_second_act || dice.OneIn(3)) {
    out.server.tier.orphan_age_us_min = kMicrosPerHour;
    out.server.tier.orphan_search_interval_us = 60 * kMicrosPerSecond;
  }
  return out;
}

Scenario LyingScenario(uint64_t seed) {
  Dice dice(seed, kLieStream);
  auto out = RandomScenario(seed);
  AddLie(out, dice);
  return out;
}

Scenario CatalogLieScenario(uint64_t seed) {
  Dice dice(seed, kCatalogLieStream);
  auto out = RandomScenario(seed);
  AddCatalogLie(out, dice);
  return out;
}

Scenario RivalScenario(uint64_t seed) {
  auto out = RandomScenario(seed);
  out.faults.lie = {};
  out.faults.catalog_lie = {};
  out.has_rival = true;
  out.has_second_act = out.restores = false;
  out.visits = 0;
  return out;
}

Scenario VisitScenario(uint64_t seed) {
  auto out = RandomScenario(seed);
  out.faults.lie = {};
  out.faults.catalog_lie = {};
  out.has_rival = out.has_second_act = out.restores = false;
  Dice dice(seed, kVisitStream);
  if (out.visits == 0) AddVisits(out, dice);
  return out;
}

std::vector<Reach> ScriptedReach(uint64_t seed) {
  if (seed % 2 == 0) return {Reach::kSealed, Reach::kTableOutage, Reach::kTableStuck, Reach::kHotFiles};
  return {Reach::kRecycled, Reach::kSealed, Reach::kExpired};
}

Scenario ScriptedScenario(uint64_t seed) {
  Scenario out;
  out.seed = seed;
  out.server = SmallServer();
  out.server.log.partitions_default = 2;
  out.server.log.dedup_run_keys_max = 20;
  out.server.tier.interval_us = 20'000;
  out.server.tier.snapshot_age_us_max = kMicrosPerSecond;
  out.server.tier.snapshots_min = 1;
  out.server.tier.expiry_interval_us = kMicrosPerSecond;
  out.server.partitioning = "";
  out.senders = 1;
  out.requests = 16;
  out.readers = 0;
  out.workload.events_max = 10;
  out.workload.data_bytes_max = 6'000;
  out.workload.invalid_one_in = 1'000;
  out.long_pause_one_in = 3;
  if (seed % 2 == 0) {
    out.server.hot_bytes_max = 8 * kChunkBytes;
    out.table_outages = 1;
    out.outage_us_max = 20 * kMicrosPerSecond;
    out.outage_pause_us_max = 20'000;
    out.workload.data_bytes_max = 4'000;
    out.workload.events_max = 20;
    out.long_pause_one_in = 0;
    out.pause_us_max = 100'000;
    out.requests = 40;
    out.server.tier.interval_us = 200'000;
    out.server.log.segment_bytes *= 4, out.server.log.journal_bytes_max *= 4;
  }
  return out;
}

std::string Scenario::ToString() const {
  std::string out = std::to_string(senders) + " senders x " + std::to_string(requests) + " requests, " + std::to_string(readers) +
                    " readers, " + std::to_string(flushes) + " flushes, " + std::to_string(crashes) + " crashes, " +
                    std::to_string(server.log.partitions_default) + " log partitions, tier every " +
                    std::to_string(server.tier.interval_us / kMicrosPerMilli) + " ms";
  if (faults.catalog_unknown > 0) out += faults.catalog_late ? ", catalog faults, late ones too" : ", catalog faults";
  if (faults.object_unavailable > 0) out += ", object store faults";
  if (faults.sync_error > 0) out += ", sync errors";
  if (faults.write_error > 0) out += ", write errors";
  if (faults.read_error > 0) out += ", read errors";
  if (visits > 0) out += ", " + std::to_string(visits) + " visits of another engine";
  if (faults.lie.kind != io::DiskLie::Kind::kNone) out += ", a lie about " + faults.lie.part;
  if (faults.catalog_lie.kind != io::CatalogLie::Kind::kNone) out += ", a lie of the catalog";
  if (clock_jumps > 0) out += ", " + std::to_string(clock_jumps) + " clock jumps";
  if (full_disks > 0) out += ", " + std::to_string(full_disks) + " full disks";
  if (table_outages > 0) out += ", " + std::to_string(table_outages) + " outages of a table";
  out += ", hot rows in " + std::to_string(server.hot_bytes_max / kChunkBytes) + " chunks and " +
         std::to_string(server.hot_disk_bytes_max / kChunkBytes) + " files";
  if (http.is_used) {
    out += ", over HTTP";
    if (faults.connection_reset > 0) out += ", resets";
    if (faults.connection_stalled > 0) out += ", silence";
    if (http.crowds > 0) out += ", crowds";
    if (http.stops > 0) out += ", " + std::to_string(http.stops) + " stops";
  }
  if (message_lost_one_in > 0) out += ", one message in " + std::to_string(message_lost_one_in) + " lost";
  if (message_delay_us_max > 0) out += ", messages take up to " + std::to_string(message_delay_us_max / kMicrosPerMilli) + " ms";
  if (has_rival) out += ", a second server on a copy of the log";
  if (has_second_act) out += restores ? ", a second act with a restored log" : ", a second act";
  return out;
}

}  // namespace sluice::sim
