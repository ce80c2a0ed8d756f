// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the log does beside its commits: the next segment, dedup runs, checkpoints, recycling. Decided on the loop, done on the
// upkeep thread. Recycling the oldest segment, in this order, so that a crash between any two steps loses nothing:
//
//   dedup runs cover it, and a checkpoint ▶ its frames that must stay are in topic files ▶ two checkpoints cover it ▶ readers leave it ▶
//   it is a spare
//
// Frames go, with their segment or with their topic file, only when checkpoints say that they are in the table: what is missing and
// not in one of these is a loss, and recovery says so.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "log/internal/background_jobs.h"
#include "log/internal/checkpoint.h"
#include "log/internal/copy_out.h"
#include "log/internal/dedup_index.h"
#include "log/internal/dedup_sealing.h"
#include "log/internal/journal.h"
#include "log/internal/log_view.h"
#include "log/internal/topic_table.h"

namespace sluice::log {

// Not thread-safe. All references must outlive it; `jobs` ends first.
class Upkeep {
 public:
  struct Parts {
    io::Env env;
    const LogPaths& paths;
    const LogOptions& options;
    const JournalId& journal_id;
    Journal& journal;
    TopicTable& topics;
    DedupIndex& dedup;
    LogView& view;
    BackgroundJobs& jobs;
    BackgroundJobs& segment_jobs;  // apart: commits wait for the next segment, not for the sealing of a run
    BackgroundJobs& merge_jobs;    // apart: the journal waits for the sealing of a run, not for the merging and removal of others
  };
  Upkeep(Parts parts, SegmentNumber oldest_segment, uint64_t spare_segments, CommitSequence checkpoint_covered, CommitSequence previous_checkpoint_covered);

  // The state is exactly the one behind commit `cut`: nothing is gathered. Only then can it be captured; while the journal is full
  // nothing is ever cut, so that what recycling needs is taken early: at the first commit of each segment.
  void AtCut(CommitSequence cut, Timestamp append_time);
  // After the loop noted what is durable. Posts what is due.
  void Step(CommitSequence durable, Timestamp now);
  // A checkpoint at the next cut. checkpoint_pending() until it is durable.
  void RequestCheckpoint() { capture_wanted_ = checkpoint_requested_ = true; }
  bool checkpoint_pending() const { return checkpoint_requested_; }
  void RemoveFiles(std::vector<Path> paths);
  // More of the topic is in its table than before: topic files may go when two checkpoints say so.
  void NoteTiered(const std::string& topic) { files_may_go_.insert(topic); }
  SegmentNumber oldest_segment() const { return oldest_; }
  uint64_t spare_segments() const { return spares_; }

 private:
  enum class RecyclePhase : uint8_t { kNone, kWaitForRuns, kCopying, kWaitForCheckpoint, kRetiring };
  using Tiered = std::map<std::string, std::map<LogPartition, Offset>>;
  struct CapturedState { CommitSequence covered; Timestamp append_time; Json topics; Tiered tiered; };
  static constexpr int64_t kRetryDelayUs = 1'000'000;

  void PrepareSegmentIfWanted(Timestamp now);
  void SealIfDue(CommitSequence durable, Timestamp now);
  void PostSeal();
  void MergeIfDue(Timestamp now);
  void PostMerge(DedupRuns runs);
  void Expire(Timestamp now);
  void RemoveRuns(DedupRuns runs);
  void PostClear(std::shared_ptr<DedupTable> table);
  void WriteCheckpointIfDue(CommitSequence durable);
  bool RecyclingNeedsCheckpoint() const;
  Tiered TieredNow() const;
  static std::map<LogPartition, Offset> TieredOf(const Topic& topic);
  void DropFiles(Timestamp now);
  void Recycle(CommitSequence durable, Timestamp now);
  bool SegmentsLeft(uint64_t n) const;
  bool RunsWillCoverNextRecycled() const;
  void PostCopyOut();
  void Retire();
  void Failed(std::string_view doing, const Error& error);
  void Warn(std::string_view doing, const Error& error);
  void Succeeded(std::string_view doing);

  Parts parts_;
  const uint64_t segments_max_;
  SegmentNumber oldest_;
  uint64_t spares_;
  CommitSequence checkpoint_covered_, previous_checkpoint_covered_;
  Tiered checkpoint_tiered_, previous_checkpoint_tiered_;  // the same of what is in tables; a partition that is not named: nothing
  std::set<std::string> files_may_go_;  // topics to look at
  Timestamp now_, retry_at_{INT64_MIN};
  std::string_view no_space_doing_;  // what failed last for want of space, or for damage

  bool preparing_ = false;
  bool freeze_wanted_ = false, sealing_ = false, merging_ = false;
  bool merge_wanted_ = true;  // runs are others than when it was asked which to merge
  Timestamp merge_retry_at_{INT64_MIN};
  SegmentNumber seen_active_;             // as of the last AtCut
  bool capture_wanted_ = false;
  std::optional<CapturedState> captured_;
  bool checkpoint_requested_ = false, writing_checkpoint_ = false;
  SegmentNumber checkpoint_first_segment_;  // as the newest checkpoint says; 0: not known
  RecyclePhase phase_ = RecyclePhase::kNone;
  LogView::SegmentRange recycling_;
  std::vector<LogView::CopiedPartition> copied_;
};

}  // namespace sluice::log
