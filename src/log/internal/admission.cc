// SPDX-License-Identifier: Apache-2.0
#include "log/internal/admission.h"

#include <algorithm>

#include "base/check.h"
#include "event/record_batch_encoder.h"
#include "event/record_batch_format.h"

namespace sluice::log {
namespace {

using event::Attribute;

constexpr size_t kPrefetchAhead = 16;
constexpr size_t kEncodePadding = 64;  // EncodeRecordBatch writes so far behind its end

// Everything of a frame but its records, at most.
size_t FrameOverhead(const Principal& principal, size_t topic_name, size_t rows) {
  return kFrameHeaderSize + topic_name + principal.tenant.size() + principal.producer.size() + (rows + 7) / 8 + kFrameAlignment + kEncodePadding;
}

}  // namespace

Admission::Admission(Parts parts, const LogOptions& options, Timestamp last_append_time)
    : parts_(parts), options_(options), append_time_(last_append_time) {}

Result<void> Admission::Admit(const event::EventBatch& batch, const Principal& principal, std::span<const Topic* const> topics,
                              std::span<const Route> routes, AppendResult& result) {
  CHECK(routes.size() == batch.rows(), "one route per row");
  result.rows.assign(batch.rows(), RowOutcome());
  result.accepted = result.duplicates = 0;
  result.durable_after = CommitSequence();
  result.refusal = AppendRefusal::kNone;
  if (batch.rows() == 0) return {};
  MakeGroups(batch.rows(), topics, routes);
  RETURN_IF_ERROR(CheckRoom(batch, principal, topics, routes, result.refusal));
  append_time_ = std::max(append_time_, parts_.clock.Now());
  RETURN_IF_ERROR(FindDuplicates(batch, principal, topics, routes, result));
  if (!accepted_.empty()) {
    AssignOffsets(topics, routes, result);
    for (const auto& group : groups_) {
      if (group.begin != group.end) EncodeGroup(batch, principal, routes, group);
    }
    parts_.dedup.Touch(append_time_);
    rows_gathered_ += accepted_.size();
    result.durable_after = parts_.journal.gathering();
  }
  result.accepted = static_cast<uint32_t>(accepted_.size());
  result.duplicates = static_cast<uint32_t>(batch.rows() - accepted_.size());
  return {};
}

void Admission::MakeGroups(size_t rows, std::span<const Topic* const> topics, std::span<const Route> routes) {
  groups_.clear();
  group_base_.clear();
  for (const auto* topic : topics) {
    group_base_.push_back(groups_.size());
    Topic* own = parts_.topics.Find(topic->name());
    CHECK(own == topic, "a topic of another log");
    for (int32_t p = 0; p < topic->partition_count(); p++) groups_.push_back({own, LogPartition(p)});
  }
  group_of_row_.resize(rows);
  for (size_t row = 0; row < rows; row++) {
    const auto& route = routes[row];
    CHECK(route.topic < topics.size() && route.partition.get() >= 0 && route.partition.get() < topics[route.topic]->partition_count(),
          "a route to a log partition that does not exist");
    group_of_row_[row] = static_cast<uint32_t>(group_base_[route.topic] + static_cast<size_t>(route.partition.get()));
  }
}

// Counts duplicates as if they were new: what does not fit is found before anything is changed.
Result<void> Admission::CheckRoom(const event::EventBatch& batch, const Principal& principal, std::span<const Topic* const> topics,
                                  std::span<const Route> routes, AppendRefusal& refusal) {
  size_t topic_name = 0;
  for (const auto* topic : topics) {
    topic_name = std::max(topic_name, topic->name().size());
    if (topic->untiered_bytes() < options_.untiered_bytes_max) continue;
    refusal = AppendRefusal::kTopicQuota;
    return Error{ErrorCode::kExhausted,
                 "topic '" + topic->name() + "' holds " + std::to_string(topic->untiered_bytes()) +
                     " bytes that are not in its table, its quota is " + std::to_string(options_.untiered_bytes_max),
                 "its table must catch up: look at its state with `sluice table describe`"};
  }
  rows_.resize(batch.rows());
  for (size_t row = 0; row < rows_.size(); row++) rows_[row] = static_cast<uint32_t>(row);
  record_keys_.clear();
  for (const auto& route : routes) record_keys_.push_back(route.key);
  // Each frame's own bound counts its fixed part and the extensions of the whole batch: the second term covers the frame at hand.
  size_t fixed = event::RecordBatchBound(batch, {}), frames = std::min(batch.rows(), groups_.size());
  size_t bound = event::RecordBatchBound(batch, rows_, record_keys_) + fixed +
                 frames * (event::kRecordBatchHeaderBytes + FrameOverhead(principal, topic_name, batch.rows()));
  if (kCommitHeaderSize + bound + kBlock > options_.commit_bytes_max) {
    refusal = AppendRefusal::kTooLarge;
    return Error{ErrorCode::kInvalid,
                 "the request needs up to " + std::to_string(bound) + " bytes, a commit holds " + std::to_string(options_.commit_bytes_max),
                 "send smaller batches"};
  }
  if (!parts_.journal.HasSpaceFor(bound)) {
    refusal = AppendRefusal::kDiskFull;
    return NoSpace();
  }
  if (parts_.journal.buffer().Reserve(bound) != nullptr) return {};
  refusal = AppendRefusal::kBehind;
  return Error{ErrorCode::kExhausted, "the commit that gathers is full", "the disk is behind: try again"};
}

Error Admission::NoSpace() const {
  return Error{ErrorCode::kExhausted, "the log cannot grow: " + parts_.journal.no_space(), "free some space: it goes on by itself"};
}

void Admission::HashKeys(const event::EventBatch& batch, const Principal& principal, std::span<const Topic* const> topics,
                         std::span<const Route> routes) {
  std::vector<DedupHasher::Scope> scopes;
  for (const auto* topic : topics) scopes.push_back(parts_.hasher.ScopeOf(principal.tenant, topic->name()));
  keys_.resize(batch.rows());
  for (size_t row = 0; row < keys_.size(); row++) {
    keys_[row] = parts_.hasher.KeyOf(scopes[routes[row].topic], batch.Get(Attribute::kSource, row), batch.Get(Attribute::kId, row));
  }
}

// Fills accepted_ and the outcomes of duplicates whose original is not in this request. On error nothing was inserted.
Result<void> Admission::FindDuplicates(const event::EventBatch& batch, const Principal& principal, std::span<const Topic* const> topics,
                                       std::span<const Route> routes, AppendResult& result) {
  HashKeys(batch, principal, topics, routes);
  std::vector<DedupPlace> older(parts_.dedup.has_older() ? keys_.size() : 0);
  if (!older.empty()) RETURN_IF_ERROR(parts_.dedup.FindOlder(keys_, older));
  auto& table = parts_.dedup.open();
  table.Reserve(keys_.size());
  accepted_.clear();
  pending_.clear();
  duplicates_of_pending_.clear();
  for (size_t row = 0; row < std::min(kPrefetchAhead, keys_.size()); row++) table.Prefetch(keys_[row]);
  for (size_t row = 0; row < keys_.size(); row++) {
    if (row + kPrefetchAhead < keys_.size()) table.Prefetch(keys_[row + kPrefetchAhead]);
    const auto* found = table.Find(keys_[row]);
    DedupPlace place = found != nullptr ? *found : (older.empty() ? DedupPlace() : older[row]);
    auto number = static_cast<uint32_t>(row);
    if (place.empty()) {
      pending_.push_back({table.Insert(keys_[row], DedupPlace::Pending(number)), number});
      accepted_.push_back(number);
      continue;
    }
    auto& outcome = result.rows[row];
    outcome = {routes[row].topic, LogPartition(), Offset(), true};
    if (place.pending()) {
      outcome.offset = Offset(place.pending_row());  // of the row, until AssignOffsets
      duplicates_of_pending_.push_back(number);
    } else {
      outcome.partition = place.partition();
      outcome.offset = place.offset();
      result.durable_after = std::max(result.durable_after, DurableAfter(*topics[routes[row].topic], place));
    }
  }
  return {};
}

// A duplicate shares the fate of its original: which commit it waits for.
CommitSequence Admission::DurableAfter(const Topic& topic, DedupPlace place) const {
  const auto& p = topic.partition(place.partition());
  if (place.offset() < p.durable_next) return CommitSequence();
  return place.offset() < p.cut_next ? parts_.journal.cut() : parts_.journal.gathering();
}

void Admission::AssignOffsets(std::span<const Topic* const> topics, std::span<const Route> routes, AppendResult& result) {
  // Counting sort of the accepted rows by group.
  for (auto& group : groups_) group.begin = group.end = 0;
  for (uint32_t row : accepted_) groups_[group_of_row_[row]].end++;
  size_t at = 0;
  for (auto& group : groups_) {
    size_t count = group.end;
    group.begin = group.end = at;
    at += count;
  }
  rows_.resize(accepted_.size());
  for (uint32_t row : accepted_) {
    auto& group = groups_[group_of_row_[row]];
    Offset offset = topics[routes[row].topic]->partition(group.partition).next + static_cast<int64_t>(group.end - group.begin);
    rows_[group.end++] = row;
    result.rows[row] = {routes[row].topic, group.partition, offset, false};
  }
  for (auto& pending : pending_) *pending.place = DedupPlace(result.rows[pending.row].partition, result.rows[pending.row].offset);
  for (uint32_t row : duplicates_of_pending_) {
    const auto& original = result.rows[static_cast<size_t>(result.rows[row].offset.get())];
    result.rows[row].partition = original.partition;
    result.rows[row].offset = original.offset;
  }
}

// Each event against the watermark before it.
void Admission::JudgeLateness(const event::EventBatch& batch, const Group& group, Topic::Partition& partition) {
  size_t count = group.end - group.begin;
  late_.assign(count, 0);
  late_bits_.clear();
  int64_t& largest = partition.event_time_max.us;
  for (size_t i = 0; i < count; i++) {
    int64_t time = batch.time_us(rows_[group.begin + i]);
    if (time == event::EventBatch::kNoTime) time = append_time_.us;
    bool has_watermark = largest >= INT64_MIN + options_.watermark_delay_us && largest != INT64_MIN;
    bool late = has_watermark && time < largest - options_.watermark_delay_us;
    if (late) {
      late_[i] = 1;
      late_bits_.resize((count + 7) / 8, '\0');
      late_bits_[i / 8] = static_cast<char>(late_bits_[i / 8] | 1 << (i % 8));
    }
    if (time <= append_time_.us + options_.time_ahead_us_max) largest = std::max(largest, time);
  }
}

void Admission::EncodeGroup(const event::EventBatch& batch, const Principal& principal, std::span<const Route> routes, const Group& group) {
  std::span<const uint32_t> rows(rows_.data() + group.begin, group.end - group.begin);
  auto& partition = TopicTable::PartitionOf(*group.topic, group.partition);
  JudgeLateness(batch, group, partition);
  record_keys_.clear();
  for (uint32_t row : rows) record_keys_.push_back(routes[row].key);

  Frame frame;
  frame.topic = group.topic->name();
  frame.partition = group.partition;
  frame.base_offset = partition.next;
  frame.next_offset = partition.next + static_cast<int64_t>(rows.size());
  frame.rows = static_cast<uint32_t>(rows.size());
  frame.append_time = append_time_;
  frame.event_time_max = partition.event_time_max;
  frame.tenant = principal.tenant;
  frame.producer = principal.producer;
  frame.late_bits = late_bits_;
  frame.chain_before = partition.chain;
  CHECK(frame.next_offset.get() <= DedupPlace::kOffsetMax, "a log partition is full");

  size_t prefix = FramePrefixSize(frame);
  char* to = parts_.journal.buffer().Reserve(prefix + event::RecordBatchBound(batch, rows, record_keys_) + kEncodePadding);
  CHECK(to != nullptr, "room that was checked is gone");
  char* record_batch = to + prefix;
  char* end = event::EncodeRecordBatch(batch, rows, record_keys_, frame.base_offset.get(), append_time_.us, record_batch);
  frame.record_batch = {record_batch, static_cast<size_t>(end - record_batch)};
  frame.chain = ExtendChain(frame.chain_before, frame.base_offset, frame.next_offset, frame.record_batch);
  size_t size = EncodeFramePrefix(frame, frame.record_batch.size(), to);
  parts_.journal.buffer().Advance(size);
  parts_.journal.CountFrame();
  TopicTable::Advance(*group.topic, frame);
  TopicTable::UntieredBytesOf(*group.topic) += size;
  gathering_.push_back(&partition);
  if (listener_ == nullptr) return;
  listener_->OnAdmitted(batch, {group.topic, group.partition, frame.base_offset, rows, late_, append_time_, &principal,
                                frame.payload_schema_id, parts_.journal.gathering()});
}

Result<void> Admission::PutState(std::string_view state_topic, const std::vector<StateEntry>& entries) {
  append_time_ = std::max(append_time_, parts_.clock.Now());
  Frame frame;
  frame.kind = FrameKind::kState;
  frame.topic = state_topic;
  frame.base_offset = parts_.topics.NextStateOffset(state_topic);
  frame.next_offset = frame.base_offset + static_cast<int64_t>(entries.size());
  frame.rows = static_cast<uint32_t>(entries.size());
  frame.append_time = append_time_;
  std::string batch = EncodeStateBatch(entries, frame.base_offset, append_time_);
  size_t prefix = FramePrefixSize(frame);
  if (!parts_.journal.HasSpaceFor(prefix + batch.size() + kFrameAlignment)) return NoSpace();
  char* to = parts_.journal.buffer().Reserve(prefix + batch.size() + kFrameAlignment);
  if (to == nullptr) return Error{ErrorCode::kExhausted, "the commit that gathers is full", "the disk is behind: try again"};
  std::copy(batch.begin(), batch.end(), to + prefix);
  parts_.journal.buffer().Advance(EncodeFramePrefix(frame, batch.size(), to));
  parts_.journal.CountFrame();
  return parts_.topics.ApplyState(state_topic, entries, frame.next_offset);
}

void Admission::OnCut() {
  for (auto* p : gathering_) p->cut_next = p->next;
  in_flight_.swap(gathering_);
  gathering_.clear();
  rows_gathered_ = 0;
}

void Admission::OnDurable() {
  for (auto* p : in_flight_) p->durable_next = p->cut_next;
  in_flight_.clear();
}

}  // namespace sluice::log
