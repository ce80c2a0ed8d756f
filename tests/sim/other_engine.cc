// SPDX-License-Identifier: Apache-2.0
#include "sim/other_engine.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "iceberg/catalog.h"
#include "sim/dice.h"
#include "sim/foreign_columns.h"
#include "sim/foreign_deletes.h"
#include "sim/foreign_metadata.h"
#include "sim/foreign_objects.h"
#include "sim/guest_tables.h"
#include "table/feed_progress.h"
#include "tier/resumption.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kVisitStream = 30'400;  // and one for each life
constexpr int64_t kRestartUs = 1'000;
constexpr uint64_t kVisitsPerGuest = 15;
constexpr char kWasHere[] = "other-engine";  // in the summary of a snapshot

constexpr const char* kTopics[] = {"raw-events", "raw-transactions", "silver-orders"};

// "$": the table's location.
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
                                    {"write.parquet.row-group-size-bytes", "2000"},
                                    {"write.parquet.page-row-limit", "none"},
                                    {"write.parquet.stats-enabled.column.id", "false"},
                                    {"write.parquet.bloom-filter-enabled.column.type", "perhaps"},
                                    {"write.parquet.bloom-filter-fpp.column.id", "2"},
                                    {"write.data.path", "$/data/elsewhere"},
                                    {"write.metadata.path", "$/metadata/elsewhere/"},
                                    {"history.expire.max-ref-age-ms", "1000"},
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

// Some of which are no names in Avro.
std::string AnyName(Dice& dice) {
  static constexpr const char* kNames[] = {"note_", "7th ", "größe.in-€_"};
  return dice.Pick(kNames) + std::to_string(dice.Below(1'000'000));
}

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

// What a visit does to a table.
struct Visit {
  iceberg::TableChange change;
  iceberg::Precondition precondition;
  MetadataEdit edit;
  std::optional<Reach> reach;  // once it is committed; none: it came for nothing
};

// Another delete file, or all of them leave.
Result<void> ChangeDeletes(io::Env env, Dice& dice, const iceberg::Table& table, Visit& visit) {
  ASSIGN_OR_RETURN(auto removal, RemoveDeletes(env, table));
  const bool removes = !removal.removed_paths.empty() && !dice.OneIn(3);
  if (!removes) {
    ASSIGN_OR_RETURN(removal, AddDeletes(env, table, dice));
    if (removal.added.empty()) return {};
  }
  visit.change.snapshot = std::move(removal);
  visit.reach = removes ? Reach::kDeletesGone : Reach::kDeletes;
  return {};
}

// Main goes back behind a snapshot in which nothing changed, unless it has moved on.
bool RollBack(const iceberg::TableMetadata& metadata, Visit& visit) {
  const auto* current = metadata.current_snapshot();
  if (current == nullptr || !current->summary.contains(kWasHere) || !current->parent_snapshot_id) return false;
  if (metadata.FindSnapshot(*current->parent_snapshot_id) == nullptr) return false;
  visit.change.set_current_snapshot = current->parent_snapshot_id;
  visit.precondition = [id = current->snapshot_id](const iceberg::TableMetadata& base) -> Result<void> {
    if (base.current_snapshot_id == id) return {};
    return Error{ErrorCode::kConflict, "the table has moved on", {}};
  };
  return true;
}

// What a table that others use, too, may become. Rows stay as they are.
Result<Visit> AnyVisit(io::Env env, Dice& dice, const iceberg::Table& table, const std::string& property) {
  const auto& metadata = *table.metadata;
  Visit out;
  auto& change = out.change;
  out.reach = Reach::kVisited;
  switch (dice.Below(19)) {
    case 0:
    case 1: change.add_columns.push_back({AnyName(dice), AnyType(dice), "of another engine"}); break;
    case 2:
    case 3: change.set_spec = AnyPartitioning(dice, metadata); break;
    case 4: {
      const auto& [name, value] = dice.Pick(kProperties);
      change.set_properties[name] = *value == '$' ? metadata.location + (value + 1) : value;
      break;
    }
    case 5: {
      if (RollBack(metadata, out)) break;
      auto& summary = change.snapshot.emplace().summary;
      summary[kWasHere] = "and did nothing";
      if (metadata.current_snapshot_id && dice.Coin()) summary["source-snapshot-id"] = std::to_string(*metadata.current_snapshot_id);
      break;
    }
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
      out.reach = Reach::kProgressTaken;
      break;
    case 9:
    case 10: {
      out.reach = {};
      RETURN_IF_ERROR(ChangeDeletes(env, dice, table, out));
      break;
    }
    case 11:
    case 12:
    case 13: {
      ASSIGN_OR_RETURN(out.edit, AnyEdit(env, table, dice));
      out.reach = Reach::kEdited;
      break;
    }
    default: {
      ASSIGN_OR_RETURN(auto rewritten, RewriteFiles(env, table, dice));
      if (rewritten.added.empty()) break;
      change.snapshot = std::move(rewritten);
      out.reach = Reach::kRewritten;
    }
  }
  return out;
}

bool IsVisiting(const RunState& run) {
  return run.all.visits < run.scenario.visits && run.verdict.ok() && run.faults_on && run.all.senders_at_work > 0;
}

// Without faults: files of the snapshot that it read have expired, or a start took the file that it wrote for a leftover
// (io::RemoveUnfinishedObjects).
bool ComesAgain(const Error& error) { return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnavailable; }

// One table; what comes of it is told to `run`. False: there is no such table yet, or nobody feeds it.
bool VisitTable(RunState& run, io::Env env, iceberg::Catalog& catalog, ForeignObjects& objects, Dice& dice) {
  const std::string topic = dice.Pick(kTopics);
  const auto name = table::TableNameOf(topic);
  auto table = catalog.LoadTable({name.table_namespace, name.name});
  const auto property = table::FeedPropertyName(topic);
  if (!run.faults_on || !table.ok() || !table->metadata->properties.contains(property)) return false;
  const auto visit = AnyVisit(env, dice, *table, property);
  if (!visit.ok()) {
    env.log.Info("another engine has an error", {{"table", name.ToString()}, {"error", visit.error().ToString()}});
    if (!run.scenario.has_faults() && !ComesAgain(visit.error()))
      run.verdict.Note("another engine at " + name.ToString(), visit.error().ToString());
    return true;
  }
  if (!visit->reach) return true;
  const bool stops = *visit->reach == Reach::kProgressTaken;
  if (stops) run.all.visited[name].waits = true;
  if (*visit->reach == Reach::kDeletes) run.all.with_deletes.insert(name);
  MetadataMark mark;
  objects.SetEdit(visit->edit ? [&](Json& metadata) { mark = visit->edit(metadata); } : std::function<void(Json&)>());
  auto committed = catalog.Commit(*table, visit->change, visit->precondition);
  objects.SetEdit({});
  if (stops && (committed.ok() || committed.error().code == ErrorCode::kCommitUnknown)) run.all.visited[name].taken = true;
  env.log.Info("another engine was here", {{"table", name.ToString()},
                                           {"stops", stops},
                                           {"rewritten", visit->change.snapshot ? visit->change.snapshot->removed_paths.size() : 0},
                                           {"edited", mark.member},
                                           {"error", committed.ok() ? "" : committed.error().ToString()}});
  if (!committed.ok()) return true;
  run.reached.Note(*visit->reach);
  if (!mark.member.empty()) run.all.marks[name].push_back(std::move(mark));
  return true;
}

// A process of its own: whatever it does may end in the middle.
void VisitTables(RunState& run, io::Env env, uint64_t life) {
  Dice dice(run.scenario.seed, kVisitStream + life);
  static constexpr ForeignCodec kCodecs[] = {ForeignCodec::kNull, ForeignCodec::kDeflate, ForeignCodec::kZstandard, ForeignCodec::kSnappy};
  ForeignObjects objects(env.objects, dice.Pick(kCodecs), dice.Coin());
  const io::Env own{env.files, objects, env.memory, env.clock, env.random, env.threads, env.log, env.metrics, env.processes, env.network};
  iceberg::Catalog catalog(run.world.catalog("visitor"), own, {io::PathToUri(run.scenario.server.data + "/warehouse")});
  while (IsVisiting(run)) {
    env.clock.SleepUs(dice.Between(1, std::max<int64_t>(run.scenario.visit_pause_us_max, 1)));
    if (dice.OneIn(kVisitsPerGuest)) MakeGuest(run, env, dice);
    else if (!VisitTable(run, own, catalog, objects, dice)) continue;
    run.all.visits++;
  }
}

}  // namespace

void KeepVisiting(RunState& run, io::Env env) {
  const auto ended = env.threads.NewSignal();
  for (uint64_t life = 0; IsVisiting(run); life++) {
    bool alive = true;
    {
      // Goes when the actor is unwound, too.
      const std::shared_ptr<void> guard(nullptr, [&](void*) {
        alive = false;
        ended->Notify();
      });
      run.world.Spawn("visitor", "visitor", [&run, life, guard] { VisitTables(run, run.world.env("visitor"), life); });
    }
    while (alive) ended->Wait(-1);
    env.clock.SleepUs(kRestartUs);
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
