// SPDX-License-Identifier: Apache-2.0
#include "log/append_draft.h"

#include <algorithm>

#include "base/check.h"
#include "event/record_batch_encoder.h"
#include "event/record_batch_format.h"
#include "log/internal/journal_format.h"
#include "log/internal/sealed_keys.h"
#include "log/log.h"

namespace sluice::log {
namespace {

constexpr size_t kRecordBytesKept = size_t{1} << 20;
constexpr size_t kReadablePadding = 64;  // behind the values of an EventBatch

// Everything of a frame but its records, at most.
size_t FrameOverhead(const Principal& principal, size_t topic_name, size_t rows) {
  return kFrameHeaderSize + topic_name + principal.tenant.size() + principal.producer.size() + (rows + 7) / 8 + kFrameAlignment + AppendDraft::kEncodePadding;
}

}  // namespace

void AppendDraft::Clear() {
  topics.clear();
  routes.clear();
  groups_.clear();
  rows_.clear();
  if (records_capacity_ <= kRecordBytesKept) return;
  records_.reset();
  records_capacity_ = 0;
}

void AppendDraft::Prepare(event::EventBatch& batch, const Principal& principal, const DedupHasher& hasher, const SealedKeys& sealed) {
  CHECK(routes.size() == batch.rows(), "one route per row");
  MakeGroups();
  HashKeys(batch, principal, hasher);
  FindSealed(sealed);
  BoundBytes(batch, principal);
  EncodeRecords(batch);
}

// A counting sort.
void AppendDraft::MakeGroups() {
  std::vector<size_t> first_slot;  // of each topic: a slot for each of its log partitions
  size_t slots = 0;
  for (const auto* topic : topics) {
    first_slot.push_back(slots);
    slots += static_cast<size_t>(topic->partition_count());
  }
  slot_of_row_.resize(routes.size());
  slot_ends_.assign(slots, 0);
  for (size_t row = 0; row < routes.size(); row++) {
    const auto& route = routes[row];
    CHECK(route.topic < topics.size() && route.partition.get() >= 0 && route.partition.get() < topics[route.topic]->partition_count(),
          "a route to a log partition that does not exist");
    slot_of_row_[row] = static_cast<uint32_t>(first_slot[route.topic] + static_cast<size_t>(route.partition.get()));
    slot_ends_[slot_of_row_[row]]++;
  }
  groups_.clear();
  uint32_t at = 0;
  for (size_t topic = 0, slot = 0; topic < topics.size(); topic++) {
    for (int32_t p = 0; p < topics[topic]->partition_count(); p++, slot++) {
      const uint32_t count = slot_ends_[slot];
      if (count > 0) groups_.push_back({static_cast<uint16_t>(topic), LogPartition(p), at, at + count, {}});
      slot_ends_[slot] = at;
      at += count;
    }
  }
  rows_.resize(routes.size());
  for (size_t row = 0; row < routes.size(); row++) rows_[slot_ends_[slot_of_row_[row]]++] = static_cast<uint32_t>(row);
}

void AppendDraft::HashKeys(const event::EventBatch& batch, const Principal& principal, const DedupHasher& hasher) {
  std::vector<DedupHasher::Scope> scopes;
  for (const auto* topic : topics) scopes.push_back(hasher.ScopeOf(principal.tenant, topic->name()));
  keys_.resize(routes.size());
  for (size_t row = 0; row < keys_.size(); row++)
    keys_[row] = hasher.KeyOf(scopes[routes[row].topic], batch.Get(event::Attribute::kSource, row), batch.Get(event::Attribute::kId, row));
}

// A run that cannot be read is asked again by Append, which can say so.
void AppendDraft::FindSealed(const SealedKeys& sealed) {
  older_.assign(keys_.size(), DedupPlace());
  asked_until_ = sealed.Find(keys_, older_).ok() ? sealed.covered : CommitSequence();
}

// Counts duplicates as if they were new: what does not fit is found before anything is changed.
void AppendDraft::BoundBytes(const event::EventBatch& batch, const Principal& principal) {
  size_t topic_name = 0;
  for (const auto* topic : topics) topic_name = std::max(topic_name, topic->name().size());
  // Each frame's own bound counts its fixed part and the extensions of the whole batch: the second term covers the frame at hand.
  bytes_max_ = event::RecordBatchBound(batch, rows_, KeysOf(rows_)) + event::RecordBatchBound(batch, {}) +
               groups_.size() * (event::kRecordBatchHeaderBytes + FrameOverhead(principal, topic_name, batch.rows()));
}

void AppendDraft::EncodeRecords(event::EventBatch& batch) {
  if (bytes_max_ > kRecordBytesMax) return;
  for (size_t row = 0; row < batch.rows(); row++)
    if (batch.time_us(row) == event::EventBatch::kNoTime) return;  // its record says when it was appended
  if (records_capacity_ < bytes_max_) {
    records_capacity_ = bytes_max_ + bytes_max_ / 4;
    records_ = std::make_unique_for_overwrite<char[]>(records_capacity_ + kReadablePadding);
  }
  size_t at = 0;
  for (auto& group : groups_) {
    const auto rows = RowsOf(group);
    const char* end = event::EncodeAndMove(batch, rows, KeysOf(rows), 0, 0, records_.get(), at);
    group.records = {records_.get() + at, static_cast<size_t>(end - records_.get()) - at};
    at += group.records.size();
  }
  batch.FinishMove({records_.get(), at});
}

std::span<const std::string_view> AppendDraft::KeysOf(std::span<const uint32_t> rows) {
  record_keys_.clear();
  for (uint32_t row : rows) record_keys_.push_back(routes[row].key);
  return record_keys_;
}

}  // namespace sluice::log
