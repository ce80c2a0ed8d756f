// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Decides, in log order, what each row of a request is: a duplicate (answered with the first one's place) or a new event, on time or
// late; gives offsets; puts frames into the gathering commit. What it decides is stored in the frames and never decided again.

#include <span>
#include <vector>

#include "log/internal/dedup_index.h"
#include "log/internal/journal.h"
#include "log/internal/topic_table.h"
#include "log/log.h"

namespace sluice::log {

// Not thread-safe. All references must outlive it.
class Admission {
 public:
  struct Parts {
    io::Clock& clock;
    Journal& journal;
    TopicTable& topics;
    DedupIndex& dedup;
  };
  Admission(Parts parts, const LogOptions& options, Timestamp last_append_time);
  void SetListener(LogListener* listener) { listener_ = listener; }

  // Log::Append.
  Result<void> Admit(const event::EventBatch& batch, const Principal& principal, AppendDraft& draft, AppendResult& result);
  // Entries of a state topic, into the gathering commit and into the table. kExhausted: the commit or the disk is full.
  Result<void> PutState(std::string_view state_topic, const std::vector<StateEntry>& entries);

  // The gathered commit was cut; the one in flight is durable.
  void OnCut();
  void OnDurable();
  Timestamp last_append_time() const { return append_time_; }
  uint64_t events_gathered() const { return rows_gathered_; }

 private:
  struct PendingPlace { DedupPlace* place; uint32_t row; };

  Result<void> CheckRoom(const AppendDraft& draft, AppendRefusal& refusal);
  Error NoSpace() const;
  Result<void> FindDuplicates(AppendDraft& draft, AppendResult& result);
  CommitSequence DurableAfter(const Topic& topic, DedupPlace place) const;
  void AssignOffsets(const AppendDraft& draft, AppendResult& result);
  void AddFrame(const event::EventBatch& batch, const Principal& principal, AppendDraft& draft, const AppendDraft::Group& group,
                std::span<const uint32_t> rows);
  char* PutRecords(const event::EventBatch& batch, AppendDraft& draft, const AppendDraft::Group& group, std::span<const uint32_t> rows,
                   Offset base_offset, size_t prefix);
  void JudgeLateness(const event::EventBatch& batch, std::span<const uint32_t> rows, Topic::Partition& partition);

  Parts parts_;
  const LogOptions& options_;
  LogListener* listener_ = nullptr;
  Timestamp append_time_;
  uint64_t rows_gathered_ = 0;
  std::vector<Topic::Partition*> gathering_, in_flight_;  // partitions with frames in the commit

  // Of the request at hand; kept for their memory.
  std::vector<uint32_t> rows_;            // accepted rows, by group
  std::vector<size_t> group_ends_;        // in rows_
  std::vector<PendingPlace> pending_;
  std::vector<uint32_t> duplicates_of_pending_;
  std::vector<uint8_t> late_;
  std::string late_bits_;
};

}  // namespace sluice::log
