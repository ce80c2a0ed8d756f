// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// An Append before its turn: all that depends on no other request but those that are sealed, so that it may be done on any thread.
//
//   EventBatch + routes ──▶ rows by log partition ──▶ keys, looked for in the runs of the dedup index ──▶ one RecordBatch a partition
//
// A draft takes every row for a new one. Log::Append copies the records of a partition whose rows all are new, and encodes anew those of a
// partition with duplicates.

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/principal.h"
#include "event/event_batch.h"
#include "log/internal/dedup_key.h"
#include "log/types.h"

namespace sluice::log {

class Topic;
struct SealedKeys;

// Where one row of an EventBatch goes. `topic` is an index into the draft's `topics`.
struct Route {
  uint16_t topic = 0;
  LogPartition partition;
  std::string_view key;  // of the record; a null view: none. 64 readable bytes behind it
};

// Reused from request to request; one thread at a time.
class AppendDraft {
 public:
  // Records of more bytes than this are left to Append.
  static constexpr size_t kRecordBytesMax = size_t{4} << 20;
  static constexpr size_t kEncodePadding = 64;  // event::EncodeRecordBatch writes so far behind its end

  // Filled in before Log::Draft: one route for each row. Their keys must live until Append.
  std::vector<const Topic*> topics;
  std::vector<Route> routes;

  // Forgets the request; memory beyond a usual one is given back.
  void Clear();

 private:
  friend class Admission;
  friend class Log;
  // Rows of the request that go to one log partition.
  struct Group {
    uint16_t topic;  // index into topics
    LogPartition partition;
    size_t begin, end;         // in rows_
    std::string_view records;  // a RecordBatch with base offset 0; empty: Append encodes it
  };

  // REQUIRES: topics and routes are set. Moves the batch's values to the records.
  void Prepare(event::EventBatch& batch, const Principal& principal, const DedupHasher& hasher, const SealedKeys& sealed);
  void MakeGroups();
  void FindSealed(const SealedKeys& sealed);
  void HashKeys(const event::EventBatch& batch, const Principal& principal, const DedupHasher& hasher);
  void BoundBytes(const event::EventBatch& batch, const Principal& principal);
  void EncodeRecords(event::EventBatch& batch);
  std::span<const uint32_t> RowsOf(const Group& group) const { return {rows_.data() + group.begin, group.end - group.begin}; }
  // The keys of the records of `rows`, until the next call.
  std::span<const std::string_view> KeysOf(std::span<const uint32_t> rows);

  std::vector<Group> groups_;   // by topic and partition; none is empty
  std::vector<uint32_t> rows_;  // of all groups, each in the order of the request
  std::vector<DedupKey> keys_;  // by row
  std::vector<DedupPlace> older_;  // by row: of keys that a run held, and, in Append, a frozen table
  CommitSequence asked_until_;  // keys of commits up to this one were looked for
  size_t bytes_max_ = 0;        // of all frames
  std::unique_ptr<char[]> records_;
  size_t records_capacity_ = 0;
  std::vector<uint32_t> slot_of_row_, slot_ends_;
  std::vector<std::string_view> record_keys_;
};

}  // namespace sluice::log
