// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Log to table: hot chunks become Parquet files, and files and progress become true in one table commit.

#include <string>
#include <vector>

#include "io/env.h"
#include "log/consumer.h"
#include "table/table_committer.h"
#include "tier/data_file_stager.h"
#include "tier/hot_source.h"
#include "tier/resumption.h"
#include "tier/tier_options.h"
#include "tier/writing_turns.h"

namespace sluice::tier {

// One per table, run by its pump. References must outlive it.
class TierConsumer : public log::Consumer {
 public:
  TierConsumer(io::Env env, HotSource& source, table::Table& table, table::ChunkMemory& memory, table::TableCommitter committer,
               WritingTurns& turns, const TierOptions& options);

  Result<log::Progress> Load() override;
  // Takes the chunks of the slice; files are written at commit, so that several slices make one file per partition.
  Result<void> Apply(const log::Slice& slice) override;
  Result<void> Commit(const log::Progress& from, const log::Progress& next) override;
  // The explicit way out of a pause: the table that is there now, or a new one, is fed from `from` on. Errors: PlanResumption,
  // TableCommitter::Adopt, Refill. The pump's thread, while it is paused.
  Result<void> Settle(const ResumeFrom& from);
  // Looks for files of the table that nobody refers to: at the start, and once an interval.
  int64_t Idle() override;
  log::CommitTrigger trigger() const override { return {}; }  // every slice: HotSource cuts when enough has gathered

 private:
  iceberg::DataFileOptions FileOptions() const;
  Result<void> TakeOverChains(table::FeedProgress& progress);
  void AdaptInterval(const StagedFiles& staged);
  void Expire();
  void RemoveOrphans();

  io::Env env_;
  HotSource& source_;
  table::Table& table_;
  table::ChunkMemory& memory_;
  table::TableCommitter committer_;
  WritingTurns& turns_;
  const TierOptions options_;
  std::shared_ptr<const table::TableVersion> version_;
  std::vector<table::HotChunkView> applied_;
  std::map<log::LogPartition, uint32_t> chains_;  // at the ends of the applied slices
  uint32_t interval_factor_ = 1;
  int64_t expired_at_us_ = 0;
  std::optional<int64_t> orphans_searched_at_ns_;  // monotonic
};

}  // namespace sluice::tier
