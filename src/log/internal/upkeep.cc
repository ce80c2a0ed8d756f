// SPDX-License-Identifier: Apache-2.0
#include "log/internal/upkeep.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/log_metrics.h"

namespace sluice::log {
namespace {

constexpr std::string_view kPreparing = "preparing a journal segment", kSealing = "sealing a dedup run", kMerging = "merging dedup runs",
                           kCheckpointing = "writing a checkpoint", kCopyingOut = "copying frames to topic files";

void RemoveFile(const io::Env& env, const Path& path) {
  auto removed = env.files.Remove(path);
  if (!removed.ok()) env.log.Warn("file that is not needed any more could not be removed", {{"error", removed.error().message}});
}

}  // namespace

Upkeep::Upkeep(Parts parts, SegmentNumber oldest_segment, uint64_t spare_segments, CommitSequence checkpoint_covered,
               CommitSequence previous_checkpoint_covered)
    : parts_(parts),
      segments_max_(parts.options.journal_bytes_max / parts.options.segment_bytes),
      oldest_(oldest_segment),
      spares_(spare_segments),
      checkpoint_covered_(checkpoint_covered),
      previous_checkpoint_covered_(previous_checkpoint_covered),
      checkpoint_tiered_(TieredNow()) {
  for (const auto& [name, topic] : parts_.topics.topics()) files_may_go_.insert(name);
}

std::map<LogPartition, Offset> Upkeep::TieredOf(const Topic& topic) {
  std::map<LogPartition, Offset> out;
  for (int32_t i = 0; i < topic.partition_count(); i++) out[LogPartition(i)] = topic.partition(LogPartition(i)).tiered;
  return out;
}

Upkeep::Tiered Upkeep::TieredNow() const {
  Tiered out;
  for (const auto& [name, topic] : parts_.topics.topics()) out[name] = TieredOf(*topic);
  return out;
}

void Upkeep::Failed(std::string_view doing, const Error& error) {
  if (error.code == ErrorCode::kExhausted || error.code == ErrorCode::kCorruption) {
    no_space_doing_ = doing;
    parts_.journal.set_no_space(error);
  }
  retry_at_ = Timestamp{now_.us + kRetryDelayUs};
  Warn(doing, error);
}

void Upkeep::Warn(std::string_view doing, const Error& error) {
  parts_.env.metrics.GetCounter(kUpkeepFailures).Add();
  parts_.env.log.Warn("log upkeep failed, it is tried again", {{"doing", doing}, {"error", error.ToString()}});
}

void Upkeep::Succeeded(std::string_view doing) {
  if (doing != no_space_doing_) return;
  no_space_doing_ = {};
  parts_.journal.set_no_space(std::nullopt);
}

void Upkeep::Step(CommitSequence durable, Timestamp now) {
  now_ = now;
  if (retry_at_.us > now.us + kRetryDelayUs) retry_at_ = now;  // the clock was set back
  PrepareSegmentIfWanted(now);
  SealIfDue(durable, now);
  WriteCheckpointIfDue(durable);
  Recycle(durable, now);
  DropFiles(now);
  MergeIfDue(now);
  Expire(now);
}

void Upkeep::RemoveFiles(std::vector<Path> paths) {
  parts_.jobs.Post([env = parts_.env, paths = std::move(paths)]() -> BackgroundJobs::Completion {
    for (const auto& path : paths) RemoveFile(env, path);
    return [] {};
  });
}

// Topic files that are in tables: both checkpoints must say so, because recovery may have to take the older one. New ones are written as
// long as there is something to drop.
void Upkeep::DropFiles(Timestamp now) {
  if (files_may_go_.empty() || checkpoint_requested_ || writing_checkpoint_ || now < retry_at_) return;
  std::erase_if(files_may_go_, [&](const std::string& topic) {
    auto dropped = parts_.view.DropFilesBefore(topic, previous_checkpoint_tiered_[topic]);
    if (!dropped.empty()) RemoveFiles(std::move(dropped));
    return !parts_.view.HasFilesBefore(topic, TieredOf(*parts_.topics.Find(topic)));
  });
  if (!files_may_go_.empty()) RequestCheckpoint();
}

// ---- segments ----

void Upkeep::PrepareSegmentIfWanted(Timestamp now) {
  auto number = parts_.journal.WantsSegment();
  bool room = number && *number - oldest_ < segments_max_;
  if (!room || preparing_ || now < retry_at_) return;
  preparing_ = true;
  SegmentRequest request{parts_.journal_id, *number, parts_.options.segment_bytes, &parts_.journal.urgent(), &parts_.segment_jobs.ending()};
  parts_.segment_jobs.Post([this, request]() -> BackgroundJobs::Completion {
    auto made = std::make_shared<Result<SegmentFile>>(PrepareSegment(parts_.env, parts_.paths, request));
    return [this, made] {
      preparing_ = false;
      if (!made->ok()) return Failed(kPreparing, made->error());
      Succeeded(kPreparing);
      if ((*made)->recycled) spares_--;
      parts_.journal.AddSegment(std::move(*made).value());
    };
  });
}

// ---- dedup runs ----

void Upkeep::SealIfDue(CommitSequence durable, Timestamp now) {
  auto since = parts_.dedup.open_since();
  if (parts_.dedup.open().size() >= parts_.options.dedup_table_keys()) freeze_wanted_ = true;
  if (since && now.us - since->us >= parts_.options.dedup_run_span_us) freeze_wanted_ = true;
  const auto& frozen = parts_.dedup.frozen();
  if (!sealing_ && !frozen.empty() && frozen.front().range.last <= durable && now >= retry_at_) PostSeal();
}

void Upkeep::PostSeal() {
  sealing_ = true;
  parts_.jobs.Post([this, frozen = parts_.dedup.frozen().front(), keys = parts_.dedup.KeysForNextRun()]() -> BackgroundJobs::Completion {
    auto run = std::make_shared<Result<std::shared_ptr<const DedupRun>>>(SealTable(parts_.env, parts_.paths, parts_.journal_id, frozen, keys.get()));
    return [this, run, keys] {
      sealing_ = false;
      if (!run->ok()) return Failed(kSealing, run->error());
      Succeeded(kSealing);
      auto table = parts_.dedup.Sealed(run->value(), keys);
      merge_wanted_ = true;
      // Only under load the memory is wanted again soon.
      if (table->size() >= parts_.options.dedup_table_keys() / 2) PostClear(std::move(table));
    };
  });
}

void Upkeep::PostClear(std::shared_ptr<DedupTable> table) {
  parts_.jobs.Post([this, table]() -> BackgroundJobs::Completion {
    table->Clear();
    return [this, table] { parts_.dedup.GiveSpare(table); };
  });
}

void Upkeep::MergeIfDue(Timestamp now) {
  if (merge_retry_at_.us > now.us + kRetryDelayUs) merge_retry_at_ = now;  // the clock was set back
  if (!merge_wanted_ || merging_ || now < merge_retry_at_) return;
  merge_wanted_ = false;
  auto runs = RunsToMerge(parts_.dedup.runs(), parts_.options);
  if (!runs.empty()) PostMerge(std::move(runs));
}

// Nothing depends on it: when it fails, the runs stay as they are.
void Upkeep::PostMerge(DedupRuns runs) {
  merging_ = true;
  if (runs.back() == parts_.dedup.runs().back()) parts_.dedup.EndGroup();
  parts_.merge_jobs.Post([this, runs = std::move(runs)]() -> BackgroundJobs::Completion {
    auto merged = std::make_shared<Result<std::shared_ptr<const DedupRun>>>(
        MergeRuns(parts_.env, parts_.paths, parts_.journal_id, runs, parts_.merge_jobs.ending()));
    return [this, runs, merged]() mutable {
      merging_ = false;
      merge_wanted_ = true;
      if (!merged->ok()) {
        merge_retry_at_ = Timestamp{now_.us + kRetryDelayUs};
        return Warn(kMerging, merged->error());
      }
      parts_.dedup.Merged(runs, merged->value());
      RemoveRuns(std::move(runs));
    };
  });
}

// Not while runs are merged: their files are being read.
void Upkeep::Expire(Timestamp now) {
  if (merging_) return;
  auto expired = parts_.dedup.Expire(Timestamp{now.us - parts_.options.dedup_window_us});
  if (!expired.empty()) RemoveRuns(std::move(expired));
}

// The job is the last to hold them, or a thread that asks them just now, but never the loop: when a file without a name is closed its space
// becomes free, which takes the file system long when it has to tell the disk.
void Upkeep::RemoveRuns(DedupRuns runs) {
  parts_.merge_jobs.Post([env = parts_.env, runs = std::move(runs)]() -> BackgroundJobs::Completion {
    for (const auto& run : runs) RemoveFile(env, run->path());
    return [] {};
  });
}

// ---- checkpoints ----

void Upkeep::AtCut(CommitSequence cut, Timestamp append_time) {
  bool new_segment = parts_.journal.active() != seen_active_;
  seen_active_ = parts_.journal.active();
  if (new_segment && !SegmentsLeft(3)) {
    capture_wanted_ = true;
    freeze_wanted_ = freeze_wanted_ || !RunsWillCoverNextRecycled();
  }
  if (freeze_wanted_ && cut > parts_.dedup.covered() && (parts_.dedup.frozen().empty() || cut > parts_.dedup.frozen().back().range.last)) {
    if (parts_.dedup.open().size() == 0) parts_.dedup.Touch(append_time);  // without keys it has a time nevertheless
    parts_.dedup.Freeze(cut);
  }
  freeze_wanted_ = false;
  if (!capture_wanted_) return;
  captured_ = CapturedState{cut, append_time, parts_.topics.ToJson(), TieredNow()};
  capture_wanted_ = false;
}

// The newest checkpoint must not ask for the segment that goes, and both must cover it.
bool Upkeep::RecyclingNeedsCheckpoint() const {
  if (phase_ == RecyclePhase::kWaitForRuns) return checkpoint_covered_ < recycling_.last;  // what need not be copied stands in one
  return phase_ == RecyclePhase::kWaitForCheckpoint &&
         (checkpoint_first_segment_ != recycling_.number + 1 || previous_checkpoint_covered_ < recycling_.last);
}

void Upkeep::WriteCheckpointIfDue(CommitSequence durable) {
  bool for_request = checkpoint_requested_ && !capture_wanted_;
  bool for_recycling = RecyclingNeedsCheckpoint() && captured_ && captured_->covered >= recycling_.last;
  if (!(for_request || for_recycling) || !captured_ || captured_->covered > durable || writing_checkpoint_ || now_ < retry_at_) return;
  bool leaving = phase_ == RecyclePhase::kWaitForCheckpoint || phase_ == RecyclePhase::kRetiring;
  // Never back: after a failed sync a segment may be gone already that `oldest_` still names.
  const SegmentNumber first_segment = leaving ? recycling_.number + 1 : std::max(oldest_, checkpoint_first_segment_);
  Checkpoint checkpoint{captured_->covered, first_segment, captured_->append_time, parts_.dedup.covered(), {}, captured_->topics};
  for (const auto& run : parts_.dedup.runs()) checkpoint.dedup_runs.push_back(run->range());
  writing_checkpoint_ = true;
  parts_.jobs.Post([this, for_request, checkpoint = std::move(checkpoint), tiered = captured_->tiered]() -> BackgroundJobs::Completion {
    auto written =
        std::make_shared<Result<void>>(WriteCheckpoint(parts_.env.files, parts_.paths, EncodeCheckpoint(checkpoint, parts_.journal_id)));
    return [this, for_request, written, covered = checkpoint.covered, first = checkpoint.first_segment, tiered] {
      writing_checkpoint_ = false;
      if (!written->ok()) return Failed(kCheckpointing, written->error());
      Succeeded(kCheckpointing);
      if (for_request) checkpoint_requested_ = false;
      previous_checkpoint_covered_ = checkpoint_covered_;
      previous_checkpoint_tiered_ = std::exchange(checkpoint_tiered_, tiered);
      checkpoint_covered_ = covered;
      checkpoint_first_segment_ = first;
    };
  });
}

// ---- recycling ----

// Whether `n` segments can still be made, not counting the active one.
bool Upkeep::SegmentsLeft(uint64_t n) const { return parts_.journal.active() - oldest_ + 1 + n <= segments_max_; }

// Whether the segments that go before the next new one are in runs already, or in tables on their way there: a table is not frozen for
// each segment, because many small runs would be merged again and again.
bool Upkeep::RunsWillCoverNextRecycled() const {
  constexpr size_t kAhead = 3;
  const auto& frozen = parts_.dedup.frozen();
  const CommitSequence covered = frozen.empty() ? parts_.dedup.covered() : frozen.back().range.last;
  const auto segments = parts_.view.Segments();
  return segments.empty() || segments[std::min(kAhead, segments.size()) - 1].last <= covered;
}

void Upkeep::Recycle(CommitSequence durable, Timestamp now) {
  switch (phase_) {
    case RecyclePhase::kNone: {
      if (SegmentsLeft(2) || now < retry_at_) return;
      auto segments = parts_.view.Segments();
      if (segments.empty() || segments.front().number >= parts_.journal.active()) return;
      // The newest commit stays: behind a torn tail the active segment may hold none yet, and a journal without commits, whose checkpoint
      // covers some, has lost its newest segments as far as the next start can tell.
      if (segments.front().last >= durable) return;
      recycling_ = segments.front();
      phase_ = RecyclePhase::kWaitForRuns;
      [[fallthrough]];
    }
    case RecyclePhase::kWaitForRuns:
      if (parts_.dedup.covered() >= recycling_.last && !RecyclingNeedsCheckpoint()) return PostCopyOut();
      if (parts_.dedup.covered() < recycling_.last && parts_.dedup.frozen().empty()) freeze_wanted_ = true;
      if (RecyclingNeedsCheckpoint() && (!captured_ || captured_->covered < recycling_.last)) capture_wanted_ = true;
      return;
    case RecyclePhase::kWaitForCheckpoint:
      if (!RecyclingNeedsCheckpoint()) return Retire();
      if (!captured_ || captured_->covered < recycling_.last) capture_wanted_ = true;
      return;
    case RecyclePhase::kCopying:
    case RecyclePhase::kRetiring: return;
  }
}

void Upkeep::PostCopyOut() {
  CopyOutRequest request{parts_.journal_id, recycling_.number, recycling_.first, recycling_.last, {}};
  bool anything_stays = false;
  for (const auto& [name, topic] : parts_.topics.topics()) {
    for (int32_t i = 0; i < topic->partition_count(); i++) {
      auto view = parts_.view.Partition(name, LogPartition(i));
      Offset in_files, end = view->end;  // no frame of the segment reaches beyond `end`
      for (const auto& entry : view->index) {
        if (entry.file != nullptr) in_files = std::max(in_files, entry.file->next_offset());
        else if (entry.segment > recycling_.number) end = std::min(end, entry.base);
      }
      const Offset drop_before = std::max(checkpoint_tiered_[name][LogPartition(i)], in_files);
      request.drop_before[name][LogPartition(i)] = drop_before;
      anything_stays = anything_stays || drop_before < end;
    }
  }
  if (!anything_stays) {  // the usual case: all of it is in tables, and the segment need not be read
    phase_ = RecyclePhase::kWaitForCheckpoint;
    return Succeeded(kCopyingOut);  // it may have failed before the table had them
  }
  phase_ = RecyclePhase::kCopying;
  parts_.jobs.Post([this, request = std::move(request)]() -> BackgroundJobs::Completion {
    auto copied = std::make_shared<Result<std::vector<LogView::CopiedPartition>>>(CopyOut(parts_.env.files, parts_.paths, request));
    return [this, copied] {
      phase_ = copied->ok() ? RecyclePhase::kWaitForCheckpoint : RecyclePhase::kNone;
      if (!copied->ok() && copied->error().code == ErrorCode::kCorruption) RequestCheckpoint();  // the table may have the rows meanwhile
      if (!copied->ok()) return Failed(kCopyingOut, copied->error());
      Succeeded(kCopyingOut);
      copied_ = std::move(*copied).value();
    };
  });
}

void Upkeep::Retire() {
  phase_ = RecyclePhase::kRetiring;
  parts_.view.RetireSegments(recycling_.number + 1, copied_);
  copied_.clear();
  parts_.jobs.Post([this, first = oldest_]() -> BackgroundJobs::Completion {
    auto retired = std::make_shared<Result<void>>();
    // Ascending, so that a crash leaves no gap; those before the one with commits are empty.
    for (SegmentNumber n = first; n <= recycling_.number && retired->ok(); ++n) {
      *retired = RetireSegment(parts_.env, parts_.paths, n);
      bool gone = !retired->ok() && retired->error().code == ErrorCode::kNotFound;  // by an earlier try whose sync failed
      if (gone) *retired = parts_.env.files.SyncDirectory(parts_.paths.journal);
    }
    return [this, retired] {
      phase_ = RecyclePhase::kNone;
      if (!retired->ok()) return Failed("recycling a journal segment", retired->error());
      spares_ += recycling_.number + 1 - oldest_;
      oldest_ = recycling_.number + 1;
    };
  });
}

}  // namespace sluice::log
