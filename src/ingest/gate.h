// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The gate: a request's bytes in, admitted events out. One call on the loop's thread, no waiting: the answer may leave once the
// log is durable up to `durable_after`.
//
//   inflate ─▶ decode ─▶ strict or lenient ─▶ route, key, log partition ─▶ log: duplicate? late? offsets ─▶ outcome

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/principal.h"
#include "event/cloudevents_http.h"
#include "event/partitioner.h"
#include "ingest/inflate.h"
#include "ingest/router.h"
#include "io/env.h"
#include "log/log.h"

namespace sluice::ingest {

struct GateOptions {
  RouterOptions routing;
  event::DecodeLimits limits;
  std::map<std::string, log::TopicConfig> topics;  // how topics are made when their first event comes
};

struct IngestRequest {
  std::string_view content_type;
  std::string_view content_encoding;
  std::span<const event::HttpHeader> headers;
  std::string_view body;   // 64 readable bytes behind it
  std::string_view topic;  // where all events go; empty: each is routed by its type
  bool lenient = false;    // take the good events and report the others
  const Principal* principal = nullptr;
};

enum class IngestStatus : uint8_t {
  kTaken,                // 200 once durable
  kMalformed,            // 400
  kMalformedEncoding,    // 400: it cannot be decompressed
  kTooLarge,             // 413
  kUnsupportedType,      // 415
  kUnsupportedEncoding,  // 415
  kInvalidEvents,        // 422: nothing was taken; Gate::rejected() lists
  kInvalidTopic,         // 400
  kBusy,                 // 503 with Retry-After: nothing was taken, try again
  kTopicQuota,           // the same: the topic's table does not keep up
  kDiskFull,             // 507 with Retry-After
  kFailed,               // 500: the log is closed
};

struct IngestOutcome {
  IngestStatus status = IngestStatus::kTaken;
  std::string message, hint;  // when it was not taken
  uint32_t accepted = 0, duplicates = 0, rejected = 0;
  log::CommitSequence durable_after;
  bool ok() const { return status == IngestStatus::kTaken; }
};

// One event of the request, in its order: where it went, or that it was rejected.
struct EventOutcome {
  std::string_view topic;  // empty: rejected
  int32_t partition = 0;
  int64_t offset = 0;
  bool duplicate = false;
};

// Not thread-safe: the loop's. What it returns lives until the next call.
class Gate {
 public:
  struct Hooks {
    // Whether a topic of that name may be made, and where its partitions begin (TopicConfig::first_offsets: what the catalog
    // knows of a table that outlived its log). Nothing was stored yet.
    std::function<Result<std::map<log::LogPartition, log::Offset>>(const std::string& topic)> prepare_topic;
    // Called with a topic before its first event of this process is admitted.
    std::function<Result<void>(const log::Topic&)> on_topic;
    // Until it answers true, nothing is admitted.
    std::function<bool()> has_room;
  };
  static Result<std::unique_ptr<Gate>> Make(io::Env env, log::Log& log, GateOptions options, Hooks hooks);

  IngestOutcome Ingest(const IngestRequest& request);

  // Of the newest call. One per event that the request held, rejected ones included.
  std::vector<EventOutcome> EventOutcomes() const;
  // At most EventBatch::kRejectedListed of them; IngestOutcome::rejected counts all.
  std::span<const event::RejectedEvent> rejected() const { return batch_.rejected(); }

 private:
  struct TopicEntry {
    const log::Topic* topic = nullptr;
    event::KeyExtractor keys;
  };
  // Looked up once: a lookup costs more than a small request's events.
  struct Counters {
    explicit Counters(io::Metrics& metrics);
    io::Counter &bytes, &accepted, &duplicates, &rejected;
  };
  Gate(io::Env env, log::Log& log, GateOptions options, Hooks hooks, Router router);
  Result<std::string_view> DecodedBody(const IngestRequest& request, IngestOutcome& outcome);
  IngestOutcome Decode(const IngestRequest& request);
  Result<uint16_t> UseTopic(std::string_view name);
  Result<TopicEntry*> OpenTopic(std::string_view name);
  Result<void> RouteRows(std::string_view fixed_topic);
  IngestOutcome Admit(const IngestRequest& request, IngestOutcome outcome);
  void Count(const IngestOutcome& outcome, size_t body_bytes);

  log::Log& log_;
  const GateOptions options_;
  const Hooks hooks_;
  const Router router_;
  event::HttpEventDecoder decoder_;
  Inflater inflater_;
  std::map<std::string, TopicEntry, std::less<>> topics_;
  io::Env env_;
  Counters counters_;

  // Of the newest request; memory is kept.
  event::EventBatch batch_;
  std::vector<const log::Topic*> used_topics_;
  std::vector<TopicEntry*> used_entries_;
  std::vector<log::Route> routes_;
  std::vector<event::Slice> keys_;
  log::AppendResult result_;
};

}  // namespace sluice::ingest
