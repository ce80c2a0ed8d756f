// SPDX-License-Identifier: Apache-2.0
#include "tier/tier_consumer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "table/topic_name.h"
#include "tier/tier_metrics.h"

namespace sluice::tier {
namespace {

constexpr int64_t kNsPerUs = 1'000;

}  // namespace

TierConsumer::TierConsumer(io::Env env, HotSource& source, table::Table& table, table::ChunkMemory& memory, table::TableCommitter committer,
                           WritingTurns& turns, const TierOptions& options)
    : env_(env), source_(source), table_(table), memory_(memory), committer_(std::move(committer)), turns_(turns), options_(options) {}

Result<log::Progress> TierConsumer::Load() {
  applied_.clear();
  chains_.clear();
  ASSIGN_OR_RETURN(version_, committer_.Load([this](const table::FeedProgress& progress) {
    return table::CheckLogFedTable(table_.name(), progress, committer_.Source(), source_);
  }));
  log::Progress out;
  out.next[table_.topic_name()] = version_->progress.offsets();
  return out;
}

Result<void> TierConsumer::Settle(const ResumeFrom& from) {
  ASSIGN_OR_RETURN(auto found, committer_.Find());
  ResumeSituation situation;
  if (committer_.known()) situation.known = committer_.known()->progress;
  if (found) {
    situation.content = table::ContentProgress(*found->metadata, table_.topic_name());
    const auto* snapshot = found->metadata->current_snapshot();
    auto total = snapshot != nullptr ? snapshot->summary.find("total-records") : iceberg::Properties::const_iterator();
    situation.has_rows = snapshot != nullptr && (total == snapshot->summary.end() || total->second != "0");
  }
  ASSIGN_OR_RETURN(auto progress, PlanResumption(from, situation, committer_.Source(), source_));
  ASSIGN_OR_RETURN(version_, committer_.Adopt(found, progress));
  env_.log.Warn("table goes on after a pause", {{"table", table_.name().ToString()}, {"progress", table::FormatFeedProgress(progress)}});
  return Refill(env_, source_, table_, memory_, committer_, turns_, version_, FileOptions());
}

Result<void> TierConsumer::Apply(const log::Slice& slice) {
  auto ranges = slice.ranges().find(table_.topic_name());
  CHECK(ranges != slice.ranges().end(), "a slice of another topic");
  auto cut = source_.TakeCut();
  for (auto& [partition, range] : ranges->second) {
    auto end = cut.end.find(partition);
    CHECK(end != cut.end.end() && end->second == range.end, "a slice that is not the newest cut");
    chains_[partition] = range.chain;
  }
  applied_ = std::move(cut.chunks);  // slices begin at the oldest chunk until a commit drops it
  return {};
}

Result<void> TierConsumer::Commit(const log::Progress& from, const log::Progress& next) {
  const int64_t began_ns = env_.clock.MonotonicNs();
  // After a failure slices come again: nothing keeps its memory meanwhile.
  auto chunks = std::exchange(applied_, {});
  table::FeedProgress progress = version_->progress;
  progress.journal_id = committer_.Source().journal_id;
  for (auto& [partition, offset] : next.next.at(table_.topic_name())) {
    auto chain = chains_.find(partition);
    if (chain != chains_.end()) progress.partitions[partition] = {offset, chain->second};
  }
  if (version_->progress.journal_id != progress.journal_id) RETURN_IF_ERROR(TakeOverChains(progress));
  ASSIGN_OR_RETURN(auto staged, StageDataFiles(env_, turns_, version_->metadata, FileOptions(), chunks));
  auto before = from.next.find(table_.topic_name());
  auto committed = committer_.Append(staged.files, before == from.next.end() ? table::PartitionOffsets() : before->second, progress);
  if (!committed.ok()) {
    // Of an unknown commit the files may be referenced: only a known failure frees them.
    if (committed.error().code != ErrorCode::kCommitUnknown) RemoveStagedFiles(env_, staged.files);
    return committed.error();
  }
  version_ = *committed;
  chunks.clear();
  chains_.clear();
  const io::MetricLabels labels{{"table", table_.name().ToString()}};
  env_.metrics.GetCounter(kRowsTotal, labels).Add(staged.rows);
  env_.metrics.GetCounter(kFilesTotal, labels).Add(staged.files.size());
  env_.metrics.GetCounter(kBytesTotal, labels).Add(staged.bytes);
  env_.metrics.GetHistogram(kCommitSeconds, labels).Observe(static_cast<double>(env_.clock.MonotonicNs() - began_ns) / 1e9);
  env_.log.Info("rows tiered",
                {{"table", table_.name().ToString()}, {"rows", staged.rows}, {"files", staged.files.size()}, {"bytes", staged.bytes}});
  AdaptInterval(staged);
  Expire();
  RemoveOrphans();
  return {};
}

// The first commit of a new log: partitions that have no new row begin a chain in it, too.
Result<void> TierConsumer::TakeOverChains(table::FeedProgress& progress) {
  for (auto& [partition, p] : progress.partitions) {
    if (chains_.contains(partition) || p.next.get() == 0) continue;
    ASSIGN_OR_RETURN(p.chain, source_.ChainAt(table_.topic_name(), partition, p.next));
  }
  return {};
}

// As the table's properties say. One that another engine understands and we do not is no reason to stop: then as configured.
iceberg::DataFileOptions TierConsumer::FileOptions() const {
  const auto& metadata = version_->metadata;
  auto options = iceberg::DataFileOptions::FromProperties(metadata.schema(), metadata.properties, options_.files);
  if (options.ok()) return std::move(*options);
  env_.log.Warn("table properties not followed", {{"table", table_.name().ToString()}, {"cause", options.error().message}});
  return options_.files;
}

// Many partitions and few rows make tiny files: wait longer next time, and shorter again when rows come.
void TierConsumer::AdaptInterval(const StagedFiles& staged) {
  if (staged.files.empty()) return;
  const uint64_t rows_per_file = staged.rows / staged.files.size();
  if (rows_per_file < options_.file_rows_min) interval_factor_ = std::min(interval_factor_ * 2, options_.interval_stretch_max);
  else if (interval_factor_ > 1) interval_factor_ /= 2;
  source_.set_interval_factor(interval_factor_);
}

void TierConsumer::Expire() {
  const int64_t now = env_.clock.Now().us;
  if (now - expired_at_us_ < options_.expiry_interval_us) return;
  expired_at_us_ = now;
  if (auto expired = committer_.ExpireSnapshots({options_.snapshot_age_us_max, options_.snapshots_min}); !expired.ok())
    env_.log.Warn("snapshots were not expired", {{"table", table_.name().ToString()}, {"cause", expired.error().message}});
}

int64_t TierConsumer::Idle() {
  RemoveOrphans();
  return std::max<int64_t>(1, (*orphans_searched_at_ns_ - env_.clock.MonotonicNs()) / kNsPerUs + options_.orphan_search_interval_us);
}

// On the pump's thread, as commits are: none of ours is under way.
void TierConsumer::RemoveOrphans() {
  const int64_t now = env_.clock.MonotonicNs();
  if (orphans_searched_at_ns_ && now - *orphans_searched_at_ns_ < options_.orphan_search_interval_us * kNsPerUs) return;
  orphans_searched_at_ns_ = now;
  auto removed = committer_.RemoveOrphans(options_.orphan_age_us_min);
  if (!removed.ok())
    return env_.log.Warn("files that nobody refers to were not looked for",
                         {{"table", table_.name().ToString()}, {"cause", removed.error().message}});
  env_.metrics.GetCounter(kOrphansTotal, {{"table", table_.name().ToString()}}).Add(removed->files.size());
}

}  // namespace sluice::tier
