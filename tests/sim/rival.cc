// SPDX-License-Identifier: Apache-2.0
#include "sim/rival.h"

#include "iceberg/catalog.h"
#include "iceberg/scan_plan.h"
#include "log/check.h"
#include "sim/end_check.h"
#include "sim/log_rows.h"
#include "table/feed_progress.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kRivalStream = 701;
constexpr char kPlace[] = "/rival";
constexpr int kFirstSender = 10;
constexpr int kFreezesMax = 4;

using table::EventColumn;

struct LakeTable {
  table::TableName name;
  std::string topic;
  std::vector<Rows> files;
};

Result<std::vector<LakeTable>> ReadLake(RunState& run, io::Env env) {
  std::vector<LakeTable> out;
  iceberg::Catalog catalog(run.world.catalog(""), env, {io::PathToUri(run.scenario.server.data + "/warehouse")});
  ASSIGN_OR_RETURN(auto namespaces, catalog.ListNamespaces());
  for (auto& table_namespace : namespaces) {
    ASSIGN_OR_RETURN(auto names, catalog.ListTables(table_namespace));
    for (auto& name : names) {
      ASSIGN_OR_RETURN(auto table, catalog.LoadTable({table_namespace, name}));
      auto& lake = out.emplace_back(LakeTable{{table_namespace, name}, {}, {}});
      for (auto& [property, value] : table.metadata->properties)
        if (property.starts_with(table::kFeedPropertyPrefix)) lake.topic = property.substr(table::kFeedPropertyPrefix.size());
      auto* snapshot = table.metadata->current_snapshot();
      if (snapshot == nullptr) continue;
      ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env.objects, *table.metadata, *snapshot, {}, nullptr));
      for (auto& file : plan.files) {
        ASSIGN_OR_RETURN(auto rows, run.all.data_files.Read(env, file.file->path));
        lake.files.push_back(std::move(rows));
      }
    }
  }
  return out;
}

// The first row that contradicts what views and answers of this server said; empty: none. `before`: only rows before these offsets are
// looked at; null: all.
std::string Stranger(const RunState& run, const LakeTable& lake, const table::PartitionOffsets* before = nullptr) {
  for (auto& file : lake.files)
    for (auto& row : *file) {
      const auto place = PlaceOf(row);
      if (before != nullptr &&
          (!before->contains(log::LogPartition(place.partition)) || before->at(log::LogPartition(place.partition)).get() <= place.offset))
        continue;
      const auto key = KeyOf(row, lake.topic);
      const auto where = key.ToString() + " at " + place.ToString();
      const Row* seen = run.ledger.SeenAt(lake.topic, place);
      if (seen != nullptr && !Difference(row, *seen).empty()) return where + ": " + Difference(row, *seen);
      auto known = run.ledger.events().find(key);
      if (known == run.ledger.events().end()) return where;
      if (known->second.place && *known->second.place != place) return where + " is at " + known->second.place->ToString();
    }
  return {};
}

// The first row that the log of a server lacks; `before_end`: of those at whose place it has one. Empty: none.
std::string Lacking(const LogRows& log, const LakeTable& lake, bool before_end) {
  for (auto& file : lake.files)
    for (auto& row : *file) {
      if (before_end && log.EndsBefore(PlaceOf(row))) continue;
      if (auto why = log.WhyNotOf(row); !why.empty()) return why;
    }
  return {};
}

// Offsets of each log partition from 0 on, each once.
std::string Gap(const LakeTable& lake) {
  std::map<int32_t, std::set<int64_t>> offsets;
  for (auto& file : lake.files)
    for (auto& row : *file)
      if (!offsets[PlaceOf(row).partition].insert(PlaceOf(row).offset).second) return PlaceOf(row).ToString() + " is there twice";
  for (auto& [partition, known] : offsets)
    if (*known.rbegin() + 1 != static_cast<int64_t>(known.size()))
      return "offsets of partition " + std::to_string(partition) + " are missing";
  return {};
}

// What was acknowledged is in the table, or still in the log of the server that the table does not follow.
std::string Lost(const RunState& run, const LakeTable& lake, log::LogSource& log) {
  std::map<Place, EventKey> in_lake;
  for (auto& file : lake.files)
    for (auto& row : *file) in_lake.emplace(PlaceOf(row), KeyOf(row, lake.topic));
  auto ends = log.DurableEnds(lake.topic);
  auto firsts = log.FirstRetained(lake.topic);
  for (auto& key : run.ledger.acknowledged()) {
    const auto place = *run.ledger.events().at(key).place;
    const auto at = in_lake.find(place);
    if (key.topic != lake.topic || (at != in_lake.end() && at->second == key)) continue;
    const log::LogPartition partition(place.partition);
    const bool in_log = ends.ok() && firsts.ok() && ends->contains(partition) && ends->at(partition).get() > place.offset &&
                        (!firsts->contains(partition) || firsts->at(partition).get() <= place.offset);
    if (!in_log)
      return key.ToString() + ", acknowledged at " + place.ToString() + " by the server \"" + run.server +
             "\", is neither in its table nor in its log";
  }
  return {};
}

}  // namespace

RivalServer::RivalServer(RunState& original, io::Env env) : original_(original), env_(env), dice_(original.scenario.seed, kRivalStream) {}

void RivalServer::Plan() {
  original_.all.senders_at_work++;  // until it has clients of its own
  original_.world.Spawn("", "rival", [this] {
    Begin();
    original_.all.senders_at_work--;
    FreezeNowAndThen();
  });
}

void RivalServer::Begin() {
  auto& all = original_.all;
  const auto acknowledged = static_cast<size_t>(dice_.Between(1, 60));
  // The first senders of the original may be done before so much was acknowledged.
  while (original_.ledger.acknowledged().size() < acknowledged && all.senders_at_work > 1 && all.verdict.ok())
    env_.clock.SleepUs(dice_.Between(1, 50'000));
  if (!all.verdict.ok() || !all.faults_on || original_.ledger.acknowledged().empty()) return;

  if (dice_.Coin()) Freeze(original_, dice_.Between(1'000, 20 * kMicrosPerSecond));
  all.world.CloneTree(original_.scenario.server.data, Path(kPlace) + original_.scenario.server.data,
                      original_.scenario.server.data + "/warehouse", dice_.Coin());
  all.reached.Note(Reach::kRival);
  run_ = std::make_unique<RunState>(RunState{all, "rival", kPlace});
  run_->ledger = original_.ledger;
  run_->acknowledged_ns = original_.acknowledged_ns;
  run_->history = original_.history;  // what is under way is of unknown outcome here
  run_->has_rival = original_.has_rival = true;
  env_.log.Info("a snapshot of the server is started elsewhere", {{"io", all.world.io_count()}});
  clients_ = std::make_unique<Clients>(*run_, env_, kFirstSender);
  supervisor_ = std::make_unique<Supervisor>(*run_, env_, *clients_, CrashPoint());
  all.world.Spawn("", "supervisor", [this] { supervisor_->Run(); });
  clients_->Begin(dice_.OneIn(4) ? 0 : original_.scenario.senders, original_.scenario.requests);
}

void RivalServer::Freeze(RunState& run, int64_t us) {
  run.world.Freeze(us, run.server);
  run.frozen_until_ns = env_.clock.MonotonicNs() + us * 1'000;
}

void RivalServer::FreezeNowAndThen() {
  const int freezes = run_ == nullptr ? 0 : static_cast<int>(dice_.Between(0, kFreezesMax));
  for (int i = 0; i < freezes && original_.all.verdict.ok() && original_.all.senders_at_work > 0; i++) {
    env_.clock.SleepUs(dice_.Between(0, kMicrosPerSecond));
    if (!original_.all.faults_on) return;
    const int64_t us = dice_.Between(1'000, 5 * kMicrosPerSecond);
    Freeze(dice_.Coin() ? original_ : *run_, us);
    original_.reached.Note(Reach::kFrozen);
  }
}

std::string RivalServer::Check() {
  if (auto found = CheckEnd(*run_); !found.empty()) return found;
  auto lake = ReadLake(original_, original_.world.env(""));
  if (!lake.ok()) return lake.error().ToString();
  std::map<RunState*, log::LogCheck> logs;
  std::map<RunState*, bool> lacks;  // some table has a row that its log does not have
  for (auto* run : {&original_, run_.get()})
    logs[run] = log::CheckLog(original_.world.env(""), run->place + run->scenario.server.data + "/log");
  for (auto& table : *lake) {
    const auto name = table.name.ToString();
    if (auto gap = Gap(table); !gap.empty()) return name + ": " + gap;
    const auto one = Stranger(original_, table), other = Stranger(*run_, table);
    if (!one.empty() && !other.empty()) return name + " has rows of both logs: " + one + ", and " + other;
    for (auto* run : {&original_, run_.get()}) {
      const auto& log = logs.at(run);
      if (auto found = Lost(*run, table, *log.source); !found.empty()) return found;
      auto rows = LogRows::Read(*log.source, table.topic);
      if (!rows.ok()) return rows.error().ToString();
      const auto foreign = Lacking(*rows, table, false);
      lacks[run] = lacks[run] || !foreign.empty();
      if (run->diverged.contains(table.name)) {
        if (foreign.empty()) return "the server \"" + run->server + "\" stopped feeding " + name + ", which has only its own rows";
        continue;
      }
      if (run->retired) continue;
      auto stranger = Lacking(*rows, table, true);
      const auto ends = log.source->DurableEnds(table.topic);
      if (stranger.empty() && ends.ok()) stranger = Stranger(*run, table, &*ends);
      if (!stranger.empty())
        return "the server \"" + run->server + "\" feeds " + name + ", which has another row than its log: " + stranger;
    }
  }
  for (auto* run : {&original_, run_.get()})
    if (run->retired && !lacks[run]) return "the server \"" + run->server + "\" does not start, and no table has a row that its log lacks";
  return {};
}

}  // namespace sluice::sim
