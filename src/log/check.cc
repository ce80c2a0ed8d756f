// SPDX-License-Identifier: Apache-2.0
#include "log/check.h"

#include "event/record_batch_decoder.h"
#include "log/internal/checkpoint.h"
#include "log/internal/dedup_run.h"
#include "log/internal/log_recovery.h"
#include "log/internal/topic_file.h"

namespace sluice::log {
namespace {

class Checker {
 public:
  Checker(io::Env env, const Path& directory) : env_(env), files_(env.files), paths_(directory) {}

  LogCheck Run() {
    auto identity = ReadIdentity(files_, paths_);
    if (!identity.ok()) {
      Find(identity.error());
      return std::move(out_);
    }
    id_ = identity->id;
    out_.journal_id = JournalIdText(id_);
    CheckJournal(CheckCheckpoints());
    CheckRuns();
    CheckTopicFiles();
    if (out_.findings.empty()) CheckAsOne();
    return std::move(out_);
  }

 private:
  void Find(const Error& error) { out_.findings.push_back(error.message); }
  void Pass(std::string line) { out_.passed.push_back(std::move(line)); }

  // What the journal must reach, as far as a whole checkpoint tells.
  ScanExpectation CheckCheckpoints() {
    auto loaded = LoadCheckpoint(files_, paths_, id_);
    if (!loaded.ok()) return Find(loaded.error()), ScanExpectation{SegmentNumber(UINT64_MAX), CommitSequence(UINT64_MAX - 1)};
    if (!*loaded) return Pass("checkpoints: none yet"), ScanExpectation{};
    const auto& newest = **loaded;
    if (!newest.newest) {
      out_.findings.push_back("the newest checkpoint is damaged: " + newest.damage);
      return {SegmentNumber(UINT64_MAX), newest.checkpoint.covered};
    }
    Pass("checkpoints: the newest covers commit " + std::to_string(newest.checkpoint.covered.get()));
    return {newest.checkpoint.first_segment, newest.checkpoint.covered};
  }

  void CheckJournal(const ScanExpectation& expectation) {
    auto segments = ListSegments(files_, paths_);
    if (!segments.ok()) return Find(segments.error());
    if (segments->empty()) return out_.findings.push_back("the journal in '" + paths_.journal + "' has no segment");
    uint64_t frames = 0;
    auto scan = ScanJournal(files_, paths_, id_, expectation, [&](const CommitHeader& header, std::string_view body) {
      return CheckFrames(header, body, frames);
    });
    if (!scan.ok()) return Find(scan.error());
    Pass("journal: " + std::to_string(scan->segments.size()) + " segments, " + std::to_string(frames) + " frames, last commit " +
         std::to_string(scan->last.get()) + (scan->torn ? ", and a torn tail that the next start cuts off" : ""));
  }

  Result<void> CheckFrames(const CommitHeader& header, std::string_view body, uint64_t& frames) const {
    Frame frame;
    FrameCursor cursor(body);
    while (cursor.Next(frame)) {
      frames++;
      auto batch = event::ReadRecordBatchHeader(frame.record_batch);
      if (batch.ok() && batch->bytes == frame.record_batch.size() && event::HasValidCrc(*batch, frame.record_batch)) continue;
      return BadFrame(header, "a RecordBatch is damaged");
    }
    return cursor.damaged() ? BadFrame(header, "a frame does not fit") : Result<void>();
  }

  Error BadFrame(const CommitHeader& header, const std::string& what) const {
    return Error{ErrorCode::kCorruption, what + " in '" + paths_.segment(header.segment) + "', commit at byte " + std::to_string(header.position), {}};
  }

  void CheckRuns() {
    std::vector<Path> obsolete;
    const Timestamp kept_from{env_.clock.Now().us - LogOptions().dedup_window_us};
    auto runs = OpenDedupRuns(env_, paths_, id_, kept_from, obsolete);
    if (!runs.ok()) return Find(runs.error());
    size_t keys = 0;
    for (const auto& run : *runs) {
      if (auto read = ReadAll(*run); !read.ok()) Find(read.error());
      keys += run->size();
    }
    Pass("dedup runs: " + std::to_string(runs->size()) + ", " + std::to_string(keys) + " keys");
  }

  static Result<void> ReadAll(const DedupRun& run) {
    DedupRunEntries entries(run);
    for (;;) {
      ASSIGN_OR_RETURN(auto some, entries.Next());
      if (some.empty()) return {};
    }
  }

  void CheckTopicFiles() {
    size_t count = 0;
    for (const auto& topic : Names(paths_.topics)) {
      for (const auto& partition : Names(base::JoinPath(paths_.topics, topic))) {
        Path directory = base::JoinPath(base::JoinPath(paths_.topics, topic), partition);
        for (const auto& name : Names(directory)) {
          if (!name.ends_with(".log")) continue;
          count++;
          auto checked = CheckTopicFile(base::JoinPath(directory, name));
          if (!checked.ok()) Find(checked.error());
        }
      }
    }
    Pass("topic files: " + std::to_string(count));
  }

  Result<void> CheckTopicFile(const Path& path) const {
    ASSIGN_OR_RETURN(auto file, TopicFile::Open(files_, path, id_));
    for (size_t block = 0; block < file->blocks().size(); block++) RETURN_IF_ERROR(file->ReadBlock(block));
    return {};
  }

  // Parts that are whole by themselves must also fit together: read as at a start, without changing anything.
  void CheckAsOne() {
    auto recovered = ReadLog(env_, paths_, LogOptions());
    if (!recovered.ok()) return Find(recovered.error());
    out_.source = std::move(recovered->view);
    for (const auto& [name, data] : recovered->topics.state()) out_.state[name] = data.values;
    uint64_t events = 0;
    for (const auto& [name, topic] : recovered->topics.topics()) {
      out_.first_offsets[name] = topic->config().first_offsets;
      for (int32_t i = 0; i < topic->partition_count(); i++) events += static_cast<uint64_t>(topic->partition(LogPartition(i)).next.get());
    }
    Pass("topics: " + std::to_string(recovered->topics.topics().size()) + ", " + std::to_string(events) + " offsets given");
  }

  std::vector<std::string> Names(const Path& directory) {
    auto names = files_.List(directory);
    if (names.ok()) return std::move(*names);
    if (names.error().code != ErrorCode::kNotFound) Find(names.error());
    return {};
  }

  io::Env env_;
  io::FileSystem& files_;
  const LogPaths paths_;
  JournalId id_{};
  LogCheck out_;
};

}  // namespace

LogCheck CheckLog(io::Env env, const Path& directory) { return Checker(env, directory).Run(); }

}  // namespace sluice::log
