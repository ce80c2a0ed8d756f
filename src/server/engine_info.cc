// SPDX-License-Identifier: Apache-2.0
//
// What the engine says of itself: the JSON behind /v1/topics, /v1/tables, /v1/status and the command line.
#include <algorithm>

#include "base/version.h"
#include "iceberg/schema.h"
#include "io/process_memory.h"
#include "server/config_keys.h"
#include "server/engine.h"
#include "server/metric_families.h"
#include "table/hot_chunk_format.h"

namespace sluice::server {
namespace {

Json OffsetsJson(const table::PartitionOffsets& offsets) {
  Json out = Json::MakeObject();
  for (auto& [partition, offset] : offsets) out.Set(std::to_string(partition.get()), offset.get());
  return out;
}

int64_t Lag(const table::PartitionOffsets& end, const table::PartitionOffsets& tiered) {
  int64_t lag = 0;
  for (auto& [partition, offset] : end) {
    auto at = tiered.find(partition);
    lag += offset.get() - (at == tiered.end() ? 0 : at->second.get());
  }
  return lag;
}

Json SnapshotJson(const iceberg::Snapshot& snapshot) {
  Json out;
  out.Set("snapshot_id", snapshot.snapshot_id);
  out.Set("parent_snapshot_id", snapshot.parent_snapshot_id ? Json(*snapshot.parent_snapshot_id) : Json());
  out.Set("sequence_number", snapshot.sequence_number);
  out.Set("committed_at", base::FormatRfc3339(Timestamp{snapshot.timestamp_ms * kMicrosPerMilli}));
  Json summary = Json::MakeObject();
  for (auto& [key, value] : snapshot.summary)
    if (!key.starts_with(table::kFeedPropertyPrefix)) summary.Set(key, value);
  out.Set("summary", std::move(summary));
  return out;
}

Json ColumnsJson(const iceberg::TableSchema& schema) {
  Json out = Json::MakeArray();
  for (auto& field : schema.fields) {
    Json column;
    column.Set("id", field.id);
    column.Set("name", field.name);
    column.Set("type", iceberg::TypeToJson(field.type));
    column.Set("required", field.required);
    out.Append(std::move(column));
  }
  return out;
}

const char* TableStateName(log::PumpState state) {
  switch (state) {
    case log::PumpState::kLoading:
    case log::PumpState::kRunning: return "running";
    case log::PumpState::kBackingOff: return "degraded";
    case log::PumpState::kPaused: return "paused";
    case log::PumpState::kStopped: return "stopped";
  }
  return "stopped";
}

// 0 when it does not say.
int64_t SummaryNumber(const iceberg::Snapshot* snapshot, const std::string& key) {
  if (snapshot == nullptr) return 0;
  auto at = snapshot->summary.find(key);
  return at == snapshot->summary.end() ? 0 : static_cast<int64_t>(std::atoll(at->second.c_str()));
}

// The short form, as in a list.
Json TableSummary(TableFeed& feed, const table::TableVersion* version) {
  const auto status = feed.pump().status();
  const auto& table = feed.table();
  const auto end = table.hot().visible_end();
  Json out;
  out.Set("name", table.name().ToString());
  out.Set("topic", table.topic_name());
  out.Set("state", TableStateName(status.state));
  if (!status.cause.empty()) out.Set("cause", status.cause);
  out.Set("rows_hot", table.hot().rows_visible());
  const auto hot = table.hot().bytes();
  out.Set("bytes_hot", hot.memory);
  out.Set("bytes_hot_files", hot.files);
  const auto* snapshot = version != nullptr ? version->metadata.current_snapshot() : nullptr;
  out.Set("rows_lake", SummaryNumber(snapshot, "total-records"));
  out.Set("bytes_lake", SummaryNumber(snapshot, "total-files-size"));
  out.Set("lag", version != nullptr ? Lag(end, version->progress.offsets()) : Lag(end, {}));
  return out;
}

}  // namespace

bool Engine::IsReady(std::string& why) {
  if (running_ && !stopping_) return true;
  why = stopping_ ? "the server is stopping" : "the server is starting";
  return false;
}

std::vector<std::string> Engine::WhatIsLoading() {
  std::vector<std::string> out;
  for (auto& one : pipeline_->Loading())
    out.push_back(one.table->name().ToString() + ": " + std::to_string(one.rows) + " of " + std::to_string(one.rows_all) + " rows" +
                  (one.problem.empty() ? "" : " (" + one.problem + ")"));
  return out;
}

Json Engine::Version() {
  Json out;
  out.Set("name", "sluice");
  out.Set("version", base::kVersion);
  out.Set("directory_format", kDirectoryFormatVersion);
  return out;
}

Json Engine::ListTopics() {
  Json out = Json::MakeArray();
  for (auto* topic : pipeline_->log().Topics()) {
    Json entry;
    entry.Set("name", topic->name());
    entry.Set("partitions", topic->partition_count());
    int64_t events = 0;
    for (int32_t p = 0; p < topic->partition_count(); p++) events += topic->partition(log::LogPartition(p)).next.get();
    entry.Set("next_offsets_total", events);
    out.Append(std::move(entry));
  }
  Json list;
  list.Set("topics", std::move(out));
  return list;
}

Result<Json> Engine::DescribeTopic(std::string_view name) {
  auto* topic = pipeline_->log().FindTopic(name);
  if (topic == nullptr) {
    std::vector<std::string_view> names;
    for (auto* t : pipeline_->log().Topics()) names.push_back(t->name());
    auto nearest = Nearest(name, names);
    return Error{ErrorCode::kNotFound, "there is no topic \"" + std::string(name) + "\"",
                 nearest.empty() ? "topics appear with their first event; GET /v1/topics lists them" : "did you mean \"" + nearest + "\"?"};
  }
  Json partitions = Json::MakeArray();
  for (int32_t p = 0; p < topic->partition_count(); p++) {
    const auto& state = topic->partition(log::LogPartition(p));
    Json entry;
    entry.Set("partition", p);
    entry.Set("next_offset", state.next.get());
    entry.Set("tiered_offset", state.tiered.get());
    entry.Set("event_time_max", state.event_time_max.us == INT64_MIN ? Json() : Json(base::FormatRfc3339(state.event_time_max)));
    partitions.Append(std::move(entry));
  }
  Json keys = Json::MakeArray();
  for (auto& pointer : topic->config().key_pointers) keys.Append(pointer);
  Json out;
  out.Set("name", topic->name());
  out.Set("key", std::move(keys));
  for (auto& feed : pipeline_->feeds())
    if (&feed->table().topic() == topic) out.Set("table", feed->table().name().ToString());
  out.Set("partitions", std::move(partitions));
  return out;
}

Json Engine::ListTables() {
  Json out = Json::MakeArray();
  for (auto& feed : pipeline_->feeds()) out.Append(TableSummary(*feed, pipeline_->registry().Version(feed->table()).get()));
  Json list;
  list.Set("tables", std::move(out));
  return list;
}

Result<Json> Engine::DescribeTable(std::string_view name) {
  ASSIGN_OR_RETURN(auto* feed, pipeline_->FindFeed(name));
  auto version = pipeline_->registry().Version(feed->table());
  Json out = TableSummary(*feed, version.get());
  out.Set("log_offsets", OffsetsJson(feed->table().hot().visible_end()));
  if (version == nullptr) return out;
  const auto& metadata = version->metadata;
  out.Set("tiered_offsets", OffsetsJson(version->progress.offsets()));
  out.Set("journal", version->progress.journal_id);
  out.Set("location", metadata.location);
  out.Set("metadata_location", version->metadata_location);
  out.Set("format_version", metadata.format_version);
  out.Set("snapshot", metadata.current_snapshot() != nullptr ? SnapshotJson(*metadata.current_snapshot()) : Json());
  out.Set("partition_spec", iceberg::PartitionSpecToJson(metadata.spec())["fields"]);
  out.Set("columns", ColumnsJson(metadata.schema()));
  return out;
}

Result<Json> Engine::ListSnapshots(std::string_view name) {
  ASSIGN_OR_RETURN(auto* feed, pipeline_->FindFeed(name));
  auto version = pipeline_->registry().Version(feed->table());
  Json snapshots = Json::MakeArray();
  if (version != nullptr)
    for (auto& snapshot : version->metadata.snapshots) snapshots.Append(SnapshotJson(snapshot));
  Json out;
  out.Set("snapshots", std::move(snapshots));
  return out;
}

Json Engine::Status() {
  const auto stats = pipeline_->log().stats();
  Json log;
  log.Set("journal_bytes", stats.journal_bytes);
  log.Set("journal_segments", stats.journal_segments);
  log.Set("spare_segments", stats.spare_segments);
  log.Set("topic_file_bytes", stats.topic_file_bytes);
  log.Set("dedup_bytes", stats.dedup_bytes);
  log.Set("dedup_keys_open", stats.dedup_keys_open);
  log.Set("durable_sequence", stats.durable.get());
  log.Set("journal_id", pipeline_->log().journal_id());
  Json hot;
  hot.Set("bytes_used", pipeline_->memory().bytes_used());
  hot.Set("bytes_max", pipeline_->memory().bytes_max());
  hot.Set("file_bytes_used", pipeline_->memory().file_bytes_used());
  hot.Set("file_bytes_max", pipeline_->memory().file_bytes_max());
  Json memory;
  memory.Set("private_bytes", io::PrivateMemoryBytes());
  memory.Set("used_heap_bytes", io::UsedHeapBytes());
  memory.Set("remembered_ids_bytes", stats.dedup_memory_bytes);
  memory.Set("commits_bytes", stats.commit_memory_bytes);
  memory.Set("manifests_bytes", views_->manifests_bytes());
  Json out;
  out.Set("data", data());
  out.Set("url", url());
  out.Set("log", std::move(log));
  Json loading = Json::MakeArray();
  for (auto& one : pipeline_->Loading()) {
    Json entry;
    entry.Set("table", one.table->name().ToString());
    entry.Set("rows", one.rows);
    entry.Set("rows_total", one.rows_all);
    if (!one.problem.empty()) entry.Set("problem", one.problem);
    loading.Append(std::move(entry));
  }
  hot.Set("loading", std::move(loading));
  out.Set("hot", std::move(hot));
  out.Set("memory", std::move(memory));
  out.Set("connections", static_cast<int64_t>(http_->connection_count()));
  out.Set("requests_waiting", static_cast<int64_t>(ingest_endpoint_->waiting()));
  out.Set("tables", ListTables()["tables"]);
  return out;
}

std::string Engine::Metrics() {
  env_.metrics.GetGauge(kPrivateMemoryBytes).Set(static_cast<double>(io::PrivateMemoryBytes()));
  env_.metrics.GetGauge(kUsedHeapBytes).Set(static_cast<double>(io::UsedHeapBytes()));
  env_.metrics.GetGauge(kHotBytes).Set(static_cast<double>(pipeline_->memory().bytes_used()));
  env_.metrics.GetGauge(kHotFileBytes).Set(static_cast<double>(pipeline_->memory().file_bytes_used()));
  for (auto& feed : pipeline_->feeds())
    env_.metrics.GetGauge(kHotRows, {{"table", feed->table().name().ToString()}})
        .Set(static_cast<double>(feed->table().hot().rows_visible()));
  return env_.metrics.Expose();
}

}  // namespace sluice::server
