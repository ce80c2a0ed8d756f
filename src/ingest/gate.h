// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The gate: a request's bytes in, admitted events out, without waiting: the answer may leave once the log is durable up to
// `durable_after`.
//
//   RequestDecoder ─▶ route, key, log partition, records ─▶ log: duplicate? late? offsets ─▶ outcome
//   (any thread)      (any thread, once its topics are known)   (the loop's thread)

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/partitioner.h"
#include "ingest/ingest_request.h"
#include "ingest/request_decoder.h"
#include "ingest/router.h"
#include "io/env.h"
#include "log/log.h"

namespace sluice::ingest {

struct GateOptions {
  RouterOptions routing;
  event::DecodeLimits limits;
  std::map<std::string, log::TopicConfig> topics;  // how topics are made when their first event comes
};

// One event of the request, in its order: where it went, or that it was rejected.
struct EventOutcome {
  std::string_view topic;  // empty: rejected
  int32_t partition = 0;
  int64_t offset = 0;
  bool duplicate = false;
};

// The loop's, but for Prepare. What it returns lives until the next call.
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
    // kExhausted: this topic takes nothing until its table gets on; others do.
    std::function<Result<void>(const log::Topic&)> takes_rows;
  };
  static Result<std::unique_ptr<Gate>> Make(io::Env env, log::Log& log, GateOptions options, Hooks hooks);

  IngestOutcome Ingest(const IngestRequest& request);
  // The topic, made if there is none, as its first event does it. Errors: of the hooks and of Log::OpenTopic.
  Result<void> MakeTopic(std::string_view name);
  // Does of Admit what needs no order, for a request that was decoded and taken so far; nothing when one of its topics is not known yet.
  // Thread-safe.
  void Prepare(const IngestRequest& request, RequestDecoder& decoded) const;
  // The second half of Ingest, for a request that was decoded on another thread: `outcome` is what decoded.Decode(request) said.
  // `decoded` must live as long as this call's results are asked for.
  IngestOutcome Admit(const IngestRequest& request, RequestDecoder& decoded, IngestOutcome outcome);

  const event::DecodeLimits& limits() const { return options_.limits; }
  // Of the newest call. One per event that the request held, rejected ones included.
  std::vector<EventOutcome> EventOutcomes() const;
  // At most EventBatch::kRejectedListed of them; IngestOutcome::rejected counts all.
  std::span<const event::RejectedEvent> rejected() const { return batch().rejected(); }

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
  using FindTopic = std::function<Result<const TopicEntry*>(std::string_view name)>;
  const TopicEntry* KnownTopic(std::string_view name) const;
  Result<const TopicEntry*> OpenTopic(std::string_view name);
  Result<void> Draft(const IngestRequest& request, RequestDecoder& decoded, const FindTopic& find) const;
  IngestOutcome AdmitRows(const IngestRequest& request, IngestOutcome outcome);
  const event::EventBatch& batch() const { return newest_->batch(); }
  void Count(const IngestOutcome& outcome, size_t body_bytes);

  log::Log& log_;
  const GateOptions options_;
  const Hooks hooks_;
  const Router router_;
  mutable std::mutex topics_mutex_;
  std::map<std::string, TopicEntry, std::less<>> topics_;  // guarded by topics_mutex_; entries stay as they are
  io::Env env_;
  Counters counters_;
  RequestDecoder decoder_;

  // Of the newest request; memory is kept.
  RequestDecoder* newest_ = &decoder_;
  log::AppendResult result_;
};

}  // namespace sluice::ingest
