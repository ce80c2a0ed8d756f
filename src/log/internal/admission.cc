// SPDX-License-Identifier: Apache-2.0
#include "log/internal/admission.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "event/record_batch_encoder.h"
#include "event/record_batch_format.h"

namespace sluice::log {
namespace {

constexpr size_t kPrefetchAhead = 16;
}  // namespace

Admission::Admission(Parts parts, const LogOptions& options, Timestamp last_append_time)
    : parts_(parts), options_(options), append_time_(last_append_time) {}

Result<void> Admission::Admit(const event::EventBatch& batch, const Principal& principal, AppendDraft& draft, AppendResult& result) {
  CHECK(draft.rows_.size() == batch.rows(), "the draft of another batch");
  result.rows.assign(batch.rows(), RowOutcome());
  result.accepted = result.duplicates = 0;
  result.durable_after = CommitSequence();
  result.refusal = AppendRefusal::kNone;
  if (batch.rows() == 0) return {};
  RETURN_IF_ERROR(CheckRoom(draft, result.refusal));
  append_time_ = std::max(append_time_, parts_.clock.Now());
  RETURN_IF_ERROR(FindDuplicates(draft, result));
  if (!pending_.empty()) {
    AssignOffsets(draft, result);
    size_t begin = 0;
    for (size_t i = 0; i < draft.groups_.size(); begin = group_ends_[i++])
      if (group_ends_[i] > begin) AddFrame(batch, principal, draft, draft.groups_[i], {rows_.data() + begin, group_ends_[i] - begin});
    parts_.dedup.Touch(append_time_);
    rows_gathered_ += pending_.size();
    result.durable_after = parts_.journal.gathering();
  }
  result.accepted = static_cast<uint32_t>(pending_.size());
  result.duplicates = static_cast<uint32_t>(batch.rows() - pending_.size());
  return {};
}

Result<void> Admission::CheckRoom(const AppendDraft& draft, AppendRefusal& refusal) {
  for (const auto* topic : draft.topics) {
    CHECK(parts_.topics.Find(topic->name()) == topic, "a topic of another log");
    if (topic->untiered_bytes() < options_.untiered_bytes_max) continue;
    refusal = AppendRefusal::kTopicQuota;
    return Error{ErrorCode::kExhausted,
                 "topic '" + topic->name() + "' holds " + std::to_string(topic->untiered_bytes()) +
                     " bytes that are not in its table, its quota is " + std::to_string(options_.untiered_bytes_max),
                 "its table must catch up: look at its state with `sluice table describe`"};
  }
  if (kCommitHeaderSize + draft.bytes_max_ + kBlock > options_.commit_bytes_max) {
    refusal = AppendRefusal::kTooLarge;
    return Error{ErrorCode::kInvalid,
                 "the request needs up to " + std::to_string(draft.bytes_max_) + " bytes, a commit holds " + std::to_string(options_.commit_bytes_max),
                 "send smaller batches"};
  }
  if (!parts_.journal.HasSpaceFor(draft.bytes_max_)) {
    const Error error = NoSpace();
    if (error.code == ErrorCode::kExhausted) refusal = AppendRefusal::kDiskFull;
    return error;
  }
  if (parts_.journal.buffer().Reserve(draft.bytes_max_) != nullptr) return {};
  refusal = AppendRefusal::kBehind;
  return Error{ErrorCode::kExhausted, "the commit that gathers is full", "the disk is behind: try again"};
}

Error Admission::NoSpace() const {
  const auto& why = *parts_.journal.no_space();
  const bool is_full = why.code == ErrorCode::kExhausted;
  return Error{why.code, "the log cannot grow: " + why.message, is_full ? "free some space: it goes on by itself" : why.hint};
}

// Fills pending_ and the outcomes of duplicates; those whose original is in this request get its row. On error nothing was inserted.
Result<void> Admission::FindDuplicates(AppendDraft& draft, AppendResult& result) {
  const auto& keys = draft.keys_;
  RETURN_IF_ERROR(parts_.dedup.FindOlder(keys, draft.older_, draft.asked_until_));
  auto& table = parts_.dedup.open();
  table.Reserve(keys.size());
  pending_.clear();
  duplicates_of_pending_.clear();
  for (size_t row = 0; row < std::min(kPrefetchAhead, keys.size()); row++) table.Prefetch(keys[row]);
  for (size_t row = 0; row < keys.size(); row++) {
    if (row + kPrefetchAhead < keys.size()) table.Prefetch(keys[row + kPrefetchAhead]);
    const auto* found = table.Find(keys[row]);
    DedupPlace place = found != nullptr ? *found : draft.older_[row];
    auto number = static_cast<uint32_t>(row);
    if (place.empty()) {
      pending_.push_back({table.Insert(keys[row], DedupPlace::Pending(number)), number});
      continue;
    }
    const uint16_t topic = draft.routes[row].topic;
    auto& outcome = result.rows[row];
    outcome = {topic, LogPartition(), Offset(), true};
    if (place.pending()) {
      outcome.offset = Offset(place.pending_row());  // of the row, until AssignOffsets
      duplicates_of_pending_.push_back(number);
    } else {
      outcome.partition = place.partition();
      outcome.offset = place.offset();
      result.durable_after = std::max(result.durable_after, DurableAfter(*draft.topics[topic], place));
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

void Admission::AssignOffsets(const AppendDraft& draft, AppendResult& result) {
  rows_.clear();
  group_ends_.clear();
  for (const auto& group : draft.groups_) {
    Offset offset = draft.topics[group.topic]->partition(group.partition).next;
    for (uint32_t row : draft.RowsOf(group)) {
      if (result.rows[row].duplicate) continue;
      result.rows[row] = {group.topic, group.partition, offset, false};
      offset = offset + 1;
      rows_.push_back(row);
    }
    group_ends_.push_back(rows_.size());
  }
  for (auto& pending : pending_) *pending.place = DedupPlace(result.rows[pending.row].partition, result.rows[pending.row].offset);
  for (uint32_t row : duplicates_of_pending_) {
    const auto& original = result.rows[static_cast<size_t>(result.rows[row].offset.get())];
    result.rows[row].partition = original.partition;
    result.rows[row].offset = original.offset;
  }
}

// Each event against the watermark before it.
void Admission::JudgeLateness(const event::EventBatch& batch, std::span<const uint32_t> rows, Topic::Partition& partition) {
  const size_t count = rows.size();
  late_.assign(count, 0);
  late_bits_.clear();
  int64_t& largest = partition.event_time_max.us;
  for (size_t i = 0; i < count; i++) {
    int64_t time = batch.time_us(rows[i]);
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

// Writes the RecordBatch of `rows`, which are all or some of the group's, `prefix` bytes behind the end of the gathering commit. Returns its end.
char* Admission::PutRecords(const event::EventBatch& batch, AppendDraft& draft, const AppendDraft::Group& group, std::span<const uint32_t> rows,
                            Offset base_offset, size_t prefix) {
  const bool as_drafted = !group.records.empty() && rows.size() == group.end - group.begin;
  const auto keys = draft.KeysOf(rows);
  const size_t bytes = as_drafted ? group.records.size() : event::RecordBatchBound(batch, rows, keys) + AppendDraft::kEncodePadding;
  char* to = parts_.journal.buffer().Reserve(prefix + bytes + kFrameAlignment);
  CHECK(to != nullptr, "room that was checked is gone");
  to += prefix;
  if (!as_drafted) return event::EncodeRecordBatch(batch, rows, keys, base_offset.get(), append_time_.us, to);
  std::memcpy(to, group.records.data(), bytes);
  event::SetBaseOffset(to, base_offset.get());
  return to + bytes;
}

void Admission::AddFrame(const event::EventBatch& batch, const Principal& principal, AppendDraft& draft, const AppendDraft::Group& group,
                         std::span<const uint32_t> rows) {
  Topic& topic = *parts_.topics.Find(draft.topics[group.topic]->name());
  auto& partition = TopicTable::PartitionOf(topic, group.partition);
  JudgeLateness(batch, rows, partition);
  Frame frame;
  frame.topic = topic.name();
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

  const size_t prefix = FramePrefixSize(frame);
  const char* end = PutRecords(batch, draft, group, rows, frame.base_offset, prefix);
  char* to = parts_.journal.buffer().end();
  frame.record_batch = {to + prefix, static_cast<size_t>(end - to) - prefix};
  frame.chain = ExtendChain(frame.chain_before, frame.base_offset, frame.next_offset, frame.record_batch);
  size_t size = EncodeFramePrefix(frame, frame.record_batch.size(), to);
  parts_.journal.buffer().Advance(size);
  parts_.journal.CountFrame();
  TopicTable::Advance(topic, frame);
  TopicTable::UntieredBytesOf(topic) += size;
  gathering_.push_back(&partition);
  if (listener_ == nullptr) return;
  listener_->OnAdmitted(batch, {&topic, group.partition, frame.base_offset, rows, late_, append_time_, &principal,
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
