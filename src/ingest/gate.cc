// SPDX-License-Identifier: Apache-2.0
#include "ingest/gate.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ingest/ingest_metrics.h"
#include "table/topic_name.h"

namespace sluice::ingest {
namespace {

// What an error of the log means to the sender.
IngestOutcome RefuseFor(const Error& error, log::AppendRefusal refusal) {
  switch (refusal) {
    case log::AppendRefusal::kTooLarge: return Refuse(IngestStatus::kTooLarge, error.message, error.hint);
    case log::AppendRefusal::kBehind: return Refuse(IngestStatus::kBusy, error.message, error.hint);
    case log::AppendRefusal::kTopicQuota: return Refuse(IngestStatus::kTopicQuota, error.message, error.hint);
    case log::AppendRefusal::kDiskFull: return Refuse(IngestStatus::kDiskFull, error.message, error.hint);
    case log::AppendRefusal::kNone: break;
  }
  return Refuse(IngestStatus::kFailed, error.message, error.hint);
}

// The same for an error of a topic.
IngestOutcome RefuseFor(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid: return Refuse(IngestStatus::kInvalidTopic, error.message, error.hint);
    case ErrorCode::kExhausted:
    case ErrorCode::kUnavailable: return Refuse(IngestStatus::kBusy, error.message, error.hint);
    default: return Refuse(IngestStatus::kFailed, error.message, error.hint);
  }
}

const char* ReasonName(IngestStatus status) {
  switch (status) {
    case IngestStatus::kTaken: return "taken";
    case IngestStatus::kMalformed: return "malformed";
    case IngestStatus::kMalformedEncoding: return "malformed_encoding";
    case IngestStatus::kTooLarge: return "too_large";
    case IngestStatus::kUnsupportedType: return "content_type";
    case IngestStatus::kUnsupportedEncoding: return "content_encoding";
    case IngestStatus::kInvalidEvents: return "invalid_events";
    case IngestStatus::kInvalidTopic: return "invalid_topic";
    case IngestStatus::kBusy: return "busy";
    case IngestStatus::kTopicQuota: return "topic_quota";
    case IngestStatus::kDiskFull: return "disk_full";
    case IngestStatus::kFailed: return "failed";
  }
  base::CheckFailed(__FILE__, __LINE__, "status", "an ingest status without a name");
}

}  // namespace

Result<std::unique_ptr<Gate>> Gate::Make(io::Env env, log::Log& log, GateOptions options, Hooks hooks) {
  RETURN_IF_ERROR(options.limits.Validate());
  ASSIGN_OR_RETURN(auto router, Router::Make(options.routing));
  for (auto& [name, config] : options.topics) {
    auto keys = event::KeyExtractor::Make(config.key_pointers);
    if (!keys.ok()) return keys.error().While("reading the settings of topic \"" + name + "\"");
  }
  return std::unique_ptr<Gate>(new Gate(env, log, std::move(options), std::move(hooks), std::move(router)));
}

Gate::Gate(io::Env env, log::Log& log, GateOptions options, Hooks hooks, Router router)
    : log_(log), options_(std::move(options)), hooks_(std::move(hooks)), router_(std::move(router)), env_(env), counters_(env.metrics),
      decoder_(options_.limits) {}

// ---- routing --------------------------------------------------------------------------------------------------------------

const Gate::TopicEntry* Gate::KnownTopic(std::string_view name) const {
  std::lock_guard lock(topics_mutex_);
  auto at = topics_.find(name);
  return at == topics_.end() ? nullptr : &at->second;
}

Result<const Gate::TopicEntry*> Gate::OpenTopic(std::string_view name) {
  if (auto* known = KnownTopic(name); known != nullptr) return known;
  RETURN_IF_ERROR(table::CheckTopicName(name));
  log::TopicConfig config;
  if (auto at = options_.topics.find(std::string(name)); at != options_.topics.end()) config = at->second;
  if (log_.FindTopic(name) == nullptr) {
    ASSIGN_OR_RETURN(config.first_offsets, hooks_.prepare_topic(std::string(name)));
  }
  ASSIGN_OR_RETURN(auto* topic, log_.OpenTopic(name, config));
  ASSIGN_OR_RETURN(auto keys, event::KeyExtractor::Make(topic->config().key_pointers));
  RETURN_IF_ERROR(hooks_.on_topic(*topic));
  std::lock_guard lock(topics_mutex_);
  return &topics_.emplace(std::string(name), TopicEntry{topic, std::move(keys)}).first->second;
}

Result<void> Gate::MakeTopic(std::string_view name) {
  ASSIGN_OR_RETURN([[maybe_unused]] auto* entry, OpenTopic(name));
  return {};
}

// Makes the draft.
Result<void> Gate::Draft(const IngestRequest& request, RequestDecoder& decoded, const FindTopic& find) const {
  auto& batch = decoded.batch();
  auto& topics = decoded.draft().topics;
  auto& routes = decoded.draft().routes;
  topics.clear();
  routes.assign(batch.rows(), {});
  std::vector<const TopicEntry*> entries;  // of `topics`
  std::vector<event::Slice> keys(batch.rows());
  constexpr uint16_t kUnknown = UINT16_MAX;
  const bool fixed = !request.topic.empty();
  std::vector<uint16_t> by_route(fixed ? 1 : router_.topics().size(), kUnknown);
  for (size_t row = 0; row < batch.rows(); row++) {
    const size_t route = fixed ? 0 : router_.Route(batch.Get(event::Attribute::kType, row));
    if (by_route[route] == kUnknown) {
      ASSIGN_OR_RETURN(const auto* entry, find(fixed ? request.topic : std::string_view(router_.topics()[route])));
      by_route[route] = static_cast<uint16_t>(topics.size());
      topics.push_back(entry->topic);
      entries.push_back(entry);
    }
    routes[row].topic = by_route[route];
    keys[row] = entries[by_route[route]]->keys.Extract(batch, row);
  }
  // Keys may lie in the batch's arena, which grew until now.
  for (size_t row = 0; row < routes.size(); row++) {
    routes[row].key = batch.View(keys[row]);
    routes[row].partition = log::LogPartition(event::PartitionOf(routes[row].key, topics[routes[row].topic]->partition_count()));
  }
  log_.Draft(batch, *request.principal, decoded.draft());
  return {};
}

void Gate::Prepare(const IngestRequest& request, RequestDecoder& decoded) const {
  auto find = [this](std::string_view name) -> Result<const TopicEntry*> {
    if (auto* known = KnownTopic(name); known != nullptr) return known;
    return Error{ErrorCode::kNotFound, "no event came to the topic yet", {}};
  };
  if (!Draft(request, decoded, find).ok()) decoded.draft().Clear();
}

// ---- admission --------------------------------------------------------------------------------------------------------------

IngestOutcome Gate::AdmitRows(const IngestRequest& request, IngestOutcome outcome) {
  if (batch().rows() == 0) return outcome;
  if (!hooks_.has_room()) {
    return Refuse(IngestStatus::kBusy, "rows wait for their tables and fill all memory for them", "try again after Retry-After; hot.bytes_max sets the bound");
  }
  auto& draft = newest_->draft();
  if (draft.routes.empty()) {
    auto routed = Draft(request, *newest_, [this](std::string_view name) { return OpenTopic(name); });
    if (!routed.ok()) return RefuseFor(routed.error());
  }
  for (auto* topic : draft.topics)
    if (auto taken = hooks_.takes_rows(*topic); !taken.ok()) return Refuse(IngestStatus::kTopicQuota, taken.error().message, taken.error().hint);
  if (auto admitted = log_.Append(batch(), *request.principal, draft, result_); !admitted.ok()) return RefuseFor(admitted.error(), result_.refusal);
  outcome.accepted = result_.accepted;
  outcome.duplicates = result_.duplicates;
  outcome.durable_after = result_.durable_after;
  return outcome;
}

IngestOutcome Gate::Admit(const IngestRequest& request, RequestDecoder& decoded, IngestOutcome outcome) {
  CHECK(request.principal != nullptr, "a request of nobody");
  newest_ = &decoded;
  result_.rows.clear();
  if (outcome.ok()) outcome = AdmitRows(request, std::move(outcome));
  Count(outcome, request.body.size());
  return outcome;
}

IngestOutcome Gate::Ingest(const IngestRequest& request) {
  auto decoded = decoder_.Decode(request);
  return Admit(request, decoder_, std::move(decoded));
}

std::vector<EventOutcome> Gate::EventOutcomes() const {
  std::vector<EventOutcome> out(batch().rows() + batch().rejected_count());
  for (size_t row = 0; row < result_.rows.size(); row++) {
    auto& r = result_.rows[row];
    out[batch().index(row)] = {newest_->draft().topics[r.topic]->name(), r.partition.get(), r.offset.get(), r.duplicate};
  }
  return out;
}

Gate::Counters::Counters(io::Metrics& metrics)
    : bytes(metrics.GetCounter(kBytesTotal)),
      accepted(metrics.GetCounter(kEventsTotal, {{"result", "accepted"}})),
      duplicates(metrics.GetCounter(kEventsTotal, {{"result", "duplicate"}})),
      rejected(metrics.GetCounter(kEventsTotal, {{"result", "rejected"}})) {}

void Gate::Count(const IngestOutcome& outcome, size_t body_bytes) {
  counters_.bytes.Add(body_bytes);
  counters_.accepted.Add(outcome.accepted);
  counters_.duplicates.Add(outcome.duplicates);
  counters_.rejected.Add(outcome.rejected);
  if (!outcome.ok()) env_.metrics.GetCounter(kRefusedTotal, {{"reason", ReasonName(outcome.status)}}).Add();
}

}  // namespace sluice::ingest
