// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests of this folder: small logs in a simulated world, events made of ids, and everything a log holds read back.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "event/event_batch.h"
#include "event/record_batch_decoder.h"
#include "io/simulated_world.h"
#include "log/log.h"

namespace sluice::log {

inline constexpr char kTestDirectory[] = "/data";

// Segments of 64 KiB, so that a test sees every border soon.
inline LogOptions SmallLogOptions() {
  LogOptions options;
  options.segment_bytes = 64 << 10;
  options.journal_bytes_max = 4 * options.segment_bytes;
  options.commit_bytes_max = 32 << 10;
  options.partitions_default = 2;
  options.idle_mark_delay_us = 1'000;
  return options;
}

struct TestEvent {
  std::string id;
  int64_t time_us = event::EventBatch::kNoTime;
  std::string source = "/test";
  std::string data = "{}";
};

inline void AddEvent(event::EventBatch& batch, const TestEvent& e) {
  using event::Attribute;
  size_t row = batch.AddRow(static_cast<uint32_t>(batch.rows()));
  batch.Set(Attribute::kId, row, batch.Store(e.id));
  batch.Set(Attribute::kSource, row, batch.Store(e.source));
  batch.Set(Attribute::kType, row, batch.Store("test"));
  batch.Set(Attribute::kData, row, batch.Store(e.data));
  batch.SetTime(row, e.time_us);
}

// Log::Draft and Append.
inline Result<void> AppendRows(Log& log, event::EventBatch& batch, const Principal& principal, std::vector<const Topic*> topics,
                               std::vector<Route> routes, AppendResult& result) {
  AppendDraft draft;
  draft.topics = std::move(topics);
  draft.routes = std::move(routes);
  log.Draft(batch, principal, draft);
  return log.Append(batch, principal, draft, result);
}

// Appends `events` to one log partition of `topic`, as one request.
inline Result<AppendResult> AppendEvents(Log& log, const Topic* topic, LogPartition partition, const std::vector<TestEvent>& events,
                                         const std::string& tenant = "default") {
  event::EventBatch batch;
  std::string bytes(64, ' ');
  batch.Reset(std::string_view(bytes).substr(0, 1));
  for (const auto& e : events) AddEvent(batch, e);
  std::vector<Route> routes(events.size(), Route{0, partition, {}});
  Principal principal;
  principal.tenant = tenant;
  AppendResult result;
  RETURN_IF_ERROR(AppendRows(log, batch, principal, {topic}, routes, result));
  return result;
}

// Ticks until commit `sequence` is durable. False: the log was closed by a failed write.
inline bool WaitDurable(io::Env env, Log& log, CommitSequence sequence) {
  for (int i = 0; i < 10'000 && log.durable() < sequence; i++) {
    log.Tick(env.clock.Now());
    if (log.durable() < sequence) log.written().Wait(1'000);
  }
  return log.durable() >= sequence;
}

// Ticks long enough for upkeep and the idle mark.
inline void Settle(io::Env env, Log& log, int rounds = 50) {
  for (int i = 0; i < rounds; i++) {
    log.Tick(env.clock.Now());
    log.written().Wait(1'000);
  }
}

struct StoredEvent {
  Offset offset;
  std::string id;
  bool late = false;
  bool operator==(const StoredEvent&) const = default;
};

// What readers see of `topic` from its first retained offsets on, by partition.
inline Result<std::map<LogPartition, std::vector<StoredEvent>>> ReadStored(Log& log, const std::string& topic, uint64_t bytes_max = 4096) {
  ASSIGN_OR_RETURN(auto from, log.source().FirstRetained(topic));
  ASSIGN_OR_RETURN(auto reader, log.NewReader(topic, from));
  std::map<LogPartition, std::vector<StoredEvent>> stored;
  event::EventBatch batch;
  event::RecordPlaces places;
  for (;;) {
    ASSIGN_OR_RETURN(auto run, reader->Next(bytes_max));
    if (run.empty()) return stored;
    for (const auto& frame : run.frames()) {
      RETURN_IF_ERROR(event::DecodeRecordBatch(frame.record_batch, batch, places));
      for (size_t row = 0; row < batch.rows(); row++) {
        stored[frame.partition].push_back({frame.base_offset + places.offset_deltas[row], std::string(batch.Get(event::Attribute::kId, row)),
                                           frame.late(static_cast<uint32_t>(row))});
      }
    }
  }
}

inline std::vector<std::string> Ids(const std::vector<StoredEvent>& events) {
  std::vector<std::string> ids;
  for (const auto& e : events) ids.push_back(e.id);
  return ids;
}

}  // namespace sluice::log
