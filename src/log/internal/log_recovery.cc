// SPDX-License-Identifier: Apache-2.0
#include "log/internal/log_recovery.h"

#include <algorithm>
#include <charconv>

#include "event/record_batch_decoder.h"
#include "log/internal/journal_reader.h"
#include "log/internal/segment_files.h"

namespace sluice::log {
namespace {

constexpr std::string_view kTopicFileSuffix = ".log";

Error NoIdentity(const LogPaths& paths) {
  return Error{ErrorCode::kCorruption, "the journal in '" + paths.journal + "' has segments and no identity file",
               "put '" + paths.identity() + "' back; without it nobody can tell whose segments these are"};
}

// A directory with at most one, empty segment: somebody crashed while making it.
Result<void> RemoveUnused(io::Env env, const LogPaths& paths, const std::vector<SegmentNumber>& segments) {
  for (auto number : segments) {
    ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(env.files, paths.segment(number)));
    CommitHeader header;
    ASSIGN_OR_RETURN(auto bytes, reader.Read(kBlock, kCommitHeaderSize));
    if (number != SegmentNumber(1) || segments.size() > 1 || DecodeCommitHeader(bytes, header) != HeaderState::kNone)
      return NoIdentity(paths);
  }
  for (auto number : segments) RETURN_IF_ERROR(env.files.Remove(paths.segment(number)));
  return {};
}

Result<JournalIdentity> MakeJournal(io::Env env, const LogPaths& paths, const LogOptions& options) {
  auto identity = MakeIdentity(env.random);
  RETURN_IF_ERROR(PrepareSegment(env, paths, {identity.id, SegmentNumber(1), options.segment_bytes}));
  RETURN_IF_ERROR(WriteIdentity(env.files, paths, identity));
  return identity;
}

Result<JournalIdentity> FindOrMakeJournal(io::Env env, const LogPaths& paths, const LogOptions& options) {
  RETURN_IF_ERROR(env.files.CreateDirectories(paths.journal));
  ASSIGN_OR_RETURN(auto segments, ListSegments(env.files, paths));
  auto identity = ReadIdentity(env.files, paths);
  if (identity.ok() && segments.empty()) {
    return Error{ErrorCode::kCorruption, "the journal in '" + paths.journal + "' has an identity file and no segment",
                 "put the segment files back; to begin anew, use another directory"};
  }
  if (identity.ok() || identity.error().code != ErrorCode::kNotFound) return identity;
  RETURN_IF_ERROR(RemoveUnused(env, paths, segments));
  return MakeJournal(env, paths, options);
}

class Recovery {
 public:
  Recovery(io::Env env, const LogPaths& paths, const LogOptions& options) : env_(env), paths_(paths), options_(options) {}

  // Makes a journal when there is none, and cuts a torn tail.
  Result<RecoveredLog> Run() {
    ASSIGN_OR_RETURN(out_.identity, FindOrMakeJournal(env_, paths_, options_));
    makes_names_durable_ = true;
    for (auto& directory : {paths_.journal, paths_.checkpoints}) RETURN_IF_ERROR(MakeNamesDurable(directory));
    ReadAhead ahead(env_.threads);
    RETURN_IF_ERROR(Read(&ahead));
    RETURN_IF_ERROR(CutTail());
    return std::move(out_);
  }

  Result<RecoveredLog> RunReadOnly() {
    ASSIGN_OR_RETURN(out_.identity, ReadIdentity(env_.files, paths_));
    RETURN_IF_ERROR(Read(nullptr));
    return std::move(out_);
  }

 private:
  // A process that was killed between a rename and the sync of its directory leaves a name that a power failure may still take. From
  // now on this process counts on what it finds: a segment goes because a file stands for it.
  Result<void> MakeNamesDurable(const Path& directory) {
    if (!makes_names_durable_) return {};
    ASSIGN_OR_RETURN(bool there, io::Exists(env_.files, directory));
    if (!there) return {};
    return env_.files.SyncDirectory(directory);
  }

  Result<void> Read(ReadAhead* ahead) {
    hasher_.emplace(out_.identity.dedup_secret);
    ASSIGN_OR_RETURN(auto loaded, LoadCheckpoint(env_.files, paths_, out_.identity.id));
    RETURN_IF_ERROR(Begin(loaded));
    RETURN_IF_ERROR(OpenRuns());
    out_.view = std::make_unique<LogView>(env_, paths_, out_.identity.id, options_.tail_bytes_max);
    RETURN_IF_ERROR(ShowNewTopics());
    ScanExpectation expectation{loaded && loaded->newest ? checkpoint_.first_segment : SegmentNumber(loaded ? UINT64_MAX : 1),
                                checkpoint_.covered};
    auto visit = [this](const CommitHeader& header, std::string_view body) { return Visit(header, body); };
    ASSIGN_OR_RETURN(out_.scan, ScanJournal(env_.files, paths_, out_.identity.id, expectation, visit, ahead));
    RETURN_IF_ERROR(CheckEnds());
    for (auto& path : out_.view->TakeOrphans()) out_.obsolete.push_back(std::move(path));
    return {};
  }

  Result<void> Begin(const std::optional<LoadedCheckpoint>& loaded) {
    if (!loaded) return {};
    if (!loaded->newest) env_.log.Warn("newest checkpoint is damaged, the one before it is used", {{"damage", loaded->damage}});
    checkpoint_ = loaded->checkpoint;
    out_.checkpoint_covered = checkpoint_.covered;
    out_.previous_checkpoint_covered = loaded->previous_covered;
    out_.last_append_time = checkpoint_.append_time;
    ASSIGN_OR_RETURN(out_.topics, TopicTable::FromJson(checkpoint_.topics));
    return {};
  }

  Result<void> OpenRuns() {
    const Timestamp kept_from{env_.clock.Now().us - options_.dedup_window_us};
    ASSIGN_OR_RETURN(auto runs, OpenDedupRuns(env_, paths_, out_.identity.id, kept_from, out_.obsolete));
    if (!runs.empty()) RETURN_IF_ERROR(MakeNamesDurable(paths_.dedup));
    for (const auto& known : checkpoint_.dedup_runs) {
      bool there = std::any_of(runs.begin(), runs.end(),
                               [&](const auto& run) { return run->range().first <= known.first && known.last <= run->range().last; });
      if (there || known.newest < kept_from) continue;
      return Error{ErrorCode::kCorruption,
                   "the dedup run of commits " + std::to_string(known.first.get()) + " to " + std::to_string(known.last.get()) +
                       " is missing in '" + paths_.dedup + "'",
                   "restore the file from a backup; without it duplicates would be taken twice"};
    }
    CommitSequence covered = runs.empty() ? checkpoint_.dedup_covered : std::max(checkpoint_.dedup_covered, runs.back()->range().last);
    out_.dedup = std::make_unique<DedupIndex>(std::move(runs), covered, options_.dedup_table_keys(), options_.dedup_run_keys_max);
    return {};
  }

  // Gives the view the topics that it does not know yet, with what topic files hold of them.
  Result<void> ShowNewTopics() {
    for (const auto& [name, topic] : out_.topics.topics()) {
      if (out_.view->Partition(name, LogPartition(0))) continue;
      std::vector<PartitionView> partitions;
      for (int32_t i = 0; i < topic->partition_count(); i++) {
        ASSIGN_OR_RETURN(auto partition, OpenTopicFiles(*topic, LogPartition(i)));
        partitions.push_back(std::move(partition));
      }
      out_.view->AddTopic(name, partitions);
    }
    return {};
  }

  Result<PartitionView> OpenTopicFiles(const Topic& topic, LogPartition partition) {
    PartitionView view;
    auto first = topic.config().first_offsets.find(partition);
    if (first != topic.config().first_offsets.end()) view.first = view.end = first->second;
    Path directory = TopicFileDirectory(paths_, topic.name(), partition);
    ASSIGN_OR_RETURN(bool there, io::Exists(env_.files, directory));
    if (!there) return view;
    ASSIGN_OR_RETURN(auto names, env_.files.List(directory));
    for (const auto& name : names) {
      if (!name.ends_with(kTopicFileSuffix)) continue;
      ASSIGN_OR_RETURN(auto file, TopicFile::Open(env_.files, base::JoinPath(directory, name), out_.identity.id));
      RETURN_IF_ERROR(AddTopicFile(topic, partition, view, file));
    }
    if (!view.index.empty()) RETURN_IF_ERROR(MakeNamesDurable(directory));
    return view;
  }

  Result<void> AddTopicFile(const Topic& topic, LogPartition partition, PartitionView& view, const std::shared_ptr<const TopicFile>& file) {
    const bool gap = view.index.empty() ? file->base_offset() > view.end : file->blocks().front().chain_before != view.chain;
    if (gap) {
      RETURN_IF_ERROR(CheckTiered(topic, {topic.name(), partition, view.end, file->base_offset()}));
      // What was in it was tiered, and so is what lies before; a crash came before all of it was removed.
      for (const auto& entry : view.index) {
        if (entry.block == 0) out_.obsolete.push_back(entry.file->path());
      }
      view.index.clear();
    }
    if (view.index.empty()) view.first = file->base_offset();
    for (size_t i = 0; i < file->blocks().size(); i++) {
      const auto& b = file->blocks()[i];
      view.index.push_back({b.base_offset, b.sequence, view.bytes_total + b.bytes_before, b.chain_before, file, i, SegmentNumber(), 0});
    }
    view.bytes_total += file->frame_bytes();
    view.end = file->next_offset();
    view.chain = file->chain();
    return {};
  }

  // Frames go only when a checkpoint says that they are in the table: otherwise somebody lost them.
  Result<void> CheckTiered(const Topic& topic, const LogView::Gap& gap) const {
    const Offset tiered = topic.partition(gap.partition).tiered;
    if (gap.end <= tiered) return {};
    return Error{ErrorCode::kCorruption,
                 "log partition " + std::to_string(gap.partition.get()) + " of topic '" + gap.topic + "' lacks its offsets " +
                     std::to_string(std::max(gap.begin, tiered).get()) + " to " + std::to_string(gap.end.get()) + ", which are in no table",
                 "a file is missing in '" + TopicFileDirectory(paths_, gap.topic, gap.partition) + "': restore it from a backup"};
  }

  Result<void> Visit(const CommitHeader& header, std::string_view body) {
    bool new_topics = false;
    Frame frame;
    FrameCursor cursor(body);
    while (cursor.Next(frame)) {
      out_.last_append_time = std::max(out_.last_append_time, frame.append_time);
      if (header.sequence > checkpoint_.covered) RETURN_IF_ERROR(At(header, out_.topics.Replay(frame)));
      if (header.sequence > out_.dedup->covered()) RETURN_IF_ERROR(At(header, ReplayKeys(frame)));
      new_topics = new_topics || (frame.kind == FrameKind::kState && frame.topic == kTopicsStateTopic);
    }
    if (cursor.damaged()) return At(header, Error{ErrorCode::kCorruption, "a frame does not fit its commit", {}});
    if (new_topics) RETURN_IF_ERROR(ShowNewTopics());
    out_.view->Publish(header, body, nullptr);
    return {};
  }

  Result<void> ReplayKeys(const Frame& frame) {
    if (frame.kind != FrameKind::kEvents) return {};
    RETURN_IF_ERROR(event::DecodeRecordBatch(frame.record_batch, batch_, places_));
    auto scope = hasher_->ScopeOf(frame.tenant, frame.topic);
    auto& table = out_.dedup->open();
    table.Reserve(batch_.rows());
    keys_.clear();
    for (size_t row = 0; row < batch_.rows(); row++) {
      keys_.push_back(hasher_->KeyOf(scope, batch_.Get(event::Attribute::kSource, row), batch_.Get(event::Attribute::kId, row)));
      table.Prefetch(keys_.back());
    }
    for (size_t row = 0; row < keys_.size(); row++) {
      if (table.Find(keys_[row]) == nullptr) table.Insert(keys_[row], DedupPlace(frame.partition, frame.base_offset + places_.offset_deltas[row]));
    }
    out_.dedup->Touch(frame.append_time);
    return {};
  }

  Result<void> At(const CommitHeader& header, Result<void> result) const {
    if (result.ok()) return result;
    return result.error().While("reading commit " + std::to_string(header.sequence.get()) + " in '" + paths_.segment(header.segment) +
                                "' at byte " + std::to_string(header.position));
  }

  // What the view found must be what the topics say; a partition whose frames are all in its table keeps its place.
  Result<void> CheckEnds() {
    for (const auto& [name, topic] : out_.topics.topics()) {
      for (int32_t i = 0; i < topic->partition_count(); i++) {
        auto& p = TopicTable::PartitionOf(*topic, LogPartition(i));
        p.durable_next = p.cut_next = p.next;
        out_.view->RaiseEnd(name, LogPartition(i), p.next, p.chain);
        auto view = out_.view->Partition(name, LogPartition(i));
        if (view->end != p.next || view->chain != p.chain) {
          return Error{ErrorCode::kCorruption,
                       "topic '" + name + "', log partition " + std::to_string(i) + " ends at offset " + std::to_string(p.next.get()) +
                           ", its frames end at " + std::to_string(view->end.get()),
                       "topic files or segments are missing or foreign: restore them from a backup"};
        }
        TopicTable::UntieredBytesOf(*topic) += out_.view->BytesFrom(name, LogPartition(i), p.tiered);
      }
    }
    for (const auto& gap : out_.view->TakeGaps()) RETURN_IF_ERROR(CheckTiered(*out_.topics.Find(gap.topic), gap));
    return {};
  }

  Result<void> CutTail() {
    if (!out_.scan.torn) return {};
    ASSIGN_OR_RETURN(Path copy, CutTornTail(env_.files, paths_, *out_.scan.torn));
    env_.log.Warn("torn tail cut off the journal: a write was cut short, nothing in it was acknowledged",
                  {{"segment", paths_.segment(out_.scan.torn->segment)}, {"position", out_.scan.torn->position}, {"copy", copy}});
    return {};
  }

  io::Env env_;
  const LogPaths& paths_;
  const LogOptions& options_;
  RecoveredLog out_;
  bool makes_names_durable_ = false;
  Checkpoint checkpoint_;
  std::optional<DedupHasher> hasher_;
  event::EventBatch batch_;
  event::RecordPlaces places_;
  std::vector<DedupKey> keys_;  // of a frame
};

}  // namespace

Result<RecoveredLog> RecoverLog(io::Env env, const LogPaths& paths, const LogOptions& options) {
  return Recovery(env, paths, options).Run();
}
Result<RecoveredLog> ReadLog(io::Env env, const LogPaths& paths, const LogOptions& options) {
  return Recovery(env, paths, options).RunReadOnly();
}

}  // namespace sluice::log
