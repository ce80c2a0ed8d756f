// SPDX-License-Identifier: Apache-2.0
#include "sim/other_engine.h"

#include <iterator>
#include <utility>

#include "iceberg/catalog.h"
#include "sim/dice.h"
#include "table/feed_progress.h"
#include "tier/resumption.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kVisitStream = 304;
constexpr int64_t kVisitPauseUsMax = 300'000;

constexpr const char* kTopics[] = {"raw-events", "raw-transactions", "silver-orders"};

// What a table that others use, too, may become. Rows stay as they are.
iceberg::TableChange AnyChange(Dice& dice, const iceberg::TableMetadata& table, const std::string& topic, bool& stops) {
  static constexpr const char* kCodecs[] = {"zstd", "gzip", "snappy", "uncompressed", "brotli"};
  iceberg::TableChange change;
  switch (dice.Below(6)) {
    case 0: change.add_columns.push_back({"note_" + std::to_string(dice.Below(1'000'000)), iceberg::Type{}, "of another engine"}); break;
    case 1: {
      static constexpr std::pair<const char*, const char*> kFields[] = {
          {"source", "bucket[3]"}, {"id", "truncate[2]"}, {"time", "day"},         {"time", "month"},
          {"time", "year"},        {"type", "identity"},  {"subject", "identity"}, {"log_partition", "identity"}};
      const auto& field = dice.Pick(kFields);
      change.set_spec.emplace();
      change.set_spec->push_back({field.first, iceberg::ParseTransform(field.second)});
      break;
    }
    case 2: change.set_properties["write.parquet.compression-codec"] = dice.Pick(kCodecs); break;
    case 3: change.snapshot.emplace().summary["other-engine"] = "was here"; break;
    case 4:
      change.set_properties["comment"] = "seen";
      change.set_properties["write.target-file-size-bytes"] = "4096";
      if (table.properties.contains("comment")) change.remove_properties.push_back("write.target-file-size-bytes");
      break;
    default: change.remove_properties.push_back(std::string(table::kFeedPropertyPrefix) + topic); stops = true;
  }
  for (auto& name : change.remove_properties) change.set_properties.erase(name);
  return change;
}

}  // namespace

void VisitTables(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kVisitStream);
  iceberg::Catalog catalog(run.world.catalog("visitor"), env, {io::PathToUri(run.scenario.server.data + "/warehouse")});
  for (int i = 0; i < run.scenario.visits && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, kVisitPauseUsMax));
    const std::string topic = dice.Pick(kTopics);
    const auto name = table::TableNameOf(topic);
    auto table = catalog.LoadTable({name.table_namespace, name.name});
    if (!run.faults_on) return;
    if (!table.ok() || !table->metadata->properties.contains(std::string(table::kFeedPropertyPrefix) + topic)) continue;
    bool stops = false;
    const auto change = AnyChange(dice, *table->metadata, topic, stops);
    if (stops) run.all.visited[name].waits = true;
    auto committed = catalog.Commit(*table, change);
    if (stops && (committed.ok() || committed.error().code == ErrorCode::kCommitUnknown)) run.all.visited[name].taken = true;
    env.log.Info("another engine was here",
                 {{"table", name.ToString()}, {"stops", stops}, {"error", committed.ok() ? "" : committed.error().ToString()}});
    if (committed.ok()) run.reached.Note(stops ? Reach::kProgressTaken : Reach::kVisited);
  }
}

bool ResumeVisited(RunState& run, server::TableFeed& feed) {
  auto visited = run.all.visited.find(feed.table().name());
  if (visited == run.all.visited.end()) return false;
  if (!std::exchange(visited->second.waits, false)) return true;  // it is being done
  // One after the other, as the refusals say: a table without a snapshot says nothing, and what was never fed is not remembered.
  static constexpr const char* kPlaces[] = {"table", "hot", "log"};
  const auto from = tier::ParseResumeFrom(kPlaces[visited->second.attempts++ % std::ssize(kPlaces)]);
  feed.Resume(*from, [&run, name = feed.table().name()](const Result<void>& resumed) {
    // A start in between, a catalog that does not answer: somebody tries again.
    if (!resumed.ok()) {
      run.all.visited[name].waits = true;
    } else {
      run.all.visited[name].taken = false;
      run.reached.Note(Reach::kResumed);
    }
  });
  return true;
}

}  // namespace sluice::sim
