// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the log does beside its commits: the next segment, dedup runs, checkpoints, recycling. Decided on the loop, done on the
// upkeep thread. Recycling the oldest segment, in this order, so that a crash between any two steps loses nothing:
//
//   dedup runs cover it ▶ its frames that must stay are in topic files ▶ two checkpoints cover it ▶ readers leave it ▶ it is a spare

#include <optional>
#include <string>

#include "log/internal/background_jobs.h"
#include "log/internal/checkpoint.h"
#include "log/internal/copy_out.h"
#include "log/internal/dedup_index.h"
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
  };
  Upkeep(Parts parts, SegmentNumber oldest_segment, CommitSequence checkpoint_covered, CommitSequence previous_checkpoint_covered);

  // The state is exactly the one behind commit `cut`: nothing is gathered.
  void AtCut(CommitSequence cut, Timestamp append_time);
  // After the loop noted what is durable. Posts what is due.
  void Step(CommitSequence durable, Timestamp now);
  // A checkpoint at the next cut. checkpoint_pending() until it is durable or failed.
  void RequestCheckpoint() { checkpoint_wanted_ = true; }
  bool checkpoint_pending() const { return checkpoint_wanted_ || checkpoint_.has_value(); }
  void RemoveFiles(std::vector<Path> paths);
  SegmentNumber oldest_segment() const { return oldest_; }

 private:
  enum class RecyclePhase : uint8_t { kNone, kWaitForRuns, kCopying, kWaitForCheckpoint, kRetiring };
  struct PendingCheckpoint { CommitSequence covered; std::string bytes; bool posted = false; };
  static constexpr int64_t kRetryDelayUs = 1'000'000;

  void PrepareSegmentIfWanted(Timestamp now);
  void SealIfDue(CommitSequence durable, Timestamp now);
  void PostSeal();
  void PostCheckpoint(CommitSequence durable);
  void Recycle(Timestamp now);
  bool MustRecycle() const;
  void PostCopyOut();
  void Retire();
  void Failed(std::string_view doing, const Error& error);

  Parts parts_;
  const uint64_t segments_max_;
  SegmentNumber oldest_;
  CommitSequence checkpoint_covered_, previous_checkpoint_covered_;
  Timestamp now_, retry_at_{INT64_MIN};

  bool preparing_ = false;
  bool freeze_wanted_ = false, sealing_ = false;
  bool checkpoint_wanted_ = false;
  std::optional<PendingCheckpoint> checkpoint_;
  RecyclePhase phase_ = RecyclePhase::kNone;
  LogView::SegmentRange recycling_;
  std::vector<LogView::CopiedPartition> copied_;
};

}  // namespace sluice::log
