// SPDX-License-Identifier: Apache-2.0
#include "sim/other_engine.h"

#include <iterator>
#include <utility>

#include "iceberg/catalog.h"
#include "sim/dice.h"
#include "sim/foreign_columns.h"
#include "sim/foreign_objects.h"
#include "table/feed_progress.h"
#include "tier/resumption.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kVisitStream = 304;

constexpr const char* kTopics[] = {"raw-events", "raw-transactions", "silver-orders"};

using Property = std::pair<const char*, const char*>;
constexpr Property kProperties[] = {{"write.parquet.compression-codec", "zstd"},
                                    {"write.parquet.compression-codec", "gzip"},
                                    {"write.parquet.compression-codec", "snappy"},
                                    {"write.parquet.compression-codec", "uncompressed"},
                                    {"write.parquet.compression-codec", "brotli"},
                                    {"write.parquet.compression-level", "3"},
                                    {"write.parquet.bloom-filter-fpp.column.id", "0.05"},
                                    {"write.metadata.metrics.default", "full"},
                                    {"write.metadata.metrics.default", "counts"},
                                    {"write.metadata.metrics.default", "truncate(1)"},
                                    {"write.metadata.metrics.default", "a lot"},
                                    {"write.metadata.metrics.column.id", "none"},
                                    {"write.metadata.metrics.max-inferred-column-defaults", "3"},
                                    {"write.metadata.previous-versions-max", "2"},
                                    {"commit.manifest-merge.enabled", "false"},
                                    {"commit.manifest.min-count-to-merge", "2"},
                                    {"commit.manifest.target-size-bytes", "3000"},
                                    {"gc.enabled", "false"},
                                    {"gc.enabled", "true"}};
constexpr Property kPartitions[] = {{"source", "bucket[3]"},
                                    {"id", "truncate[2]"},
                                    {"time", "day"},
                                    {"time", "month"},
                                    {"time", "year"},
                                    {"type", "identity"},
                                    {"subject", "identity"},
                                    {"log_partition", "identity"},
                                    {"log_offset", "truncate[10]"},
                                    {"type", "void"}};

// By events' columns, by its own, or not at all.
std::vector<iceberg::NewPartitionField> AnyPartitioning(Dice& dice, const iceberg::TableMetadata& table) {
  std::vector<iceberg::NewPartitionField> out;
  if (dice.OneIn(4)) return out;
  const auto foreign = ForeignColumns(table.schema());
  if (foreign.empty() || dice.OneIn(3)) {
    const auto& field = dice.Pick(kPartitions);
    out.push_back({field.first, iceberg::ParseTransform(field.second)});
    return out;
  }
  for (auto& column : foreign)
    for (const char* text : {"bucket[3]", "truncate[2]", "day", "identity"}) {
      const auto transform = iceberg::ParseTransform(text);
      if (column.type.is_nested() || dice.Coin() || !iceberg::CheckTransform(transform, column.type).ok()) continue;
      out.push_back({column.name, transform});
      break;
    }
  return out;
}

// The oldest ones, but for the newest that says where the feed stands.
iceberg::SnapshotExpiry AnyExpiry(Dice& dice, const iceberg::TableMetadata& table, const std::string& property) {
  iceberg::SnapshotExpiry out;
  out.older_than_ms = 0;
  out.retain_last = 1;
  out.keep_newest_with = {property};
  size_t left = table.snapshots.size();
  for (auto& snapshot : table.snapshots) {
    if (left-- <= 2 || dice.Coin()) break;
    if (snapshot.snapshot_id != table.current_snapshot_id) out.snapshot_ids.push_back(snapshot.snapshot_id);
  }
  return out;
}

// What a table that others use, too, may become. Rows stay as they are.
Result<iceberg::TableChange> AnyChange(io::Env env, Dice& dice, const iceberg::Table& table, const std::string& property, bool& stops) {
  const auto& metadata = *table.metadata;
  iceberg::TableChange change;
  switch (dice.Below(14)) {
    case 0:
    case 1: change.add_columns.push_back({"note_" + std::to_string(dice.Below(1'000'000)), AnyType(dice), "of another engine"}); break;
    case 2:
    case 3: change.set_spec = AnyPartitioning(dice, metadata); break;
    case 4: {
      const auto& set = dice.Pick(kProperties);
      change.set_properties[set.first] = set.second;
      break;
    }
    case 5: change.snapshot.emplace().summary["other-engine"] = "was here"; break;
    case 6:
      change.set_properties["comment"] = "seen";
      change.set_properties["write.target-file-size-bytes"] = "4096";
      if (metadata.properties.contains("comment")) {
        change.remove_properties.push_back("write.target-file-size-bytes");
        change.set_properties.erase("write.target-file-size-bytes");
      }
      break;
    case 7: change.expire = AnyExpiry(dice, metadata, property); break;
    case 8:
      change.remove_properties.push_back(property);
      stops = true;
      break;
    default: {
      ASSIGN_OR_RETURN(auto rewritten, RewriteFiles(env, table, dice));
      if (!rewritten.added.empty()) change.snapshot = std::move(rewritten);
    }
  }
  return change;
}

}  // namespace

void VisitTables(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kVisitStream);
  static constexpr ForeignCodec kCodecs[] = {ForeignCodec::kNull, ForeignCodec::kDeflate, ForeignCodec::kZstandard, ForeignCodec::kSnappy};
  ForeignObjects objects(env.objects, dice.Pick(kCodecs), dice.Coin());
  const io::Env own{env.files, objects, env.memory, env.clock, env.random, env.threads, env.log, env.metrics, env.processes, env.network};
  iceberg::Catalog catalog(run.world.catalog("visitor"), own, {io::PathToUri(run.scenario.server.data + "/warehouse")});
  for (int i = 0; i < run.scenario.visits && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, run.scenario.visit_pause_us_max));
    const std::string topic = dice.Pick(kTopics);
    const auto name = table::TableNameOf(topic);
    auto table = catalog.LoadTable({name.table_namespace, name.name});
    if (!run.faults_on) return;
    const auto property = table::FeedPropertyName(topic);
    if (!table.ok() || !table->metadata->properties.contains(property)) continue;
    bool stops = false;
    const auto change = AnyChange(own, dice, *table, property, stops);
    if (!change.ok()) {
      env.log.Info("another engine has an error", {{"table", name.ToString()}, {"error", change.error().ToString()}});
      if (!run.scenario.has_faults() && change.error().code != ErrorCode::kNotFound)
        return run.verdict.Note("another engine at " + name.ToString(), change.error().ToString());
      continue;
    }
    if (stops) run.all.visited[name].waits = true;
    auto committed = catalog.Commit(*table, *change);
    if (stops && (committed.ok() || committed.error().code == ErrorCode::kCommitUnknown)) run.all.visited[name].taken = true;
    env.log.Info("another engine was here", {{"table", name.ToString()},
                                             {"stops", stops},
                                             {"rewritten", change->snapshot ? change->snapshot->removed_paths.size() : 0},
                                             {"error", committed.ok() ? "" : committed.error().ToString()}});
    if (committed.ok())
      run.reached.Note(stops                                                  ? Reach::kProgressTaken
                       : change->snapshot && !change->snapshot->added.empty() ? Reach::kRewritten
                                                                              : Reach::kVisited);
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
