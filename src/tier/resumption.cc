// SPDX-License-Identifier: Apache-2.0
#include "tier/resumption.h"

#include <algorithm>
#include <charconv>

#include "table/frame_rows.h"
#include "tier/data_file_stager.h"

namespace sluice::tier {
namespace {

constexpr uint64_t kRefillBytes = uint64_t{64} << 20;  // of frames in one commit

log::Offset At(const table::FeedProgress& progress, log::LogPartition partition) {
  auto at = progress.partitions.find(partition);
  return at == progress.partitions.end() ? log::Offset(0) : at->second.next;
}

std::string Text(log::Offset offset) { return std::to_string(offset.get()); }

template <class T>
bool ParseNumber(std::string_view text, T& to) {
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), to);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && to >= 0;
}

// One partition of a plan.
struct Place {
  log::LogPartition partition;
  log::Offset retained, end;  // of the log
  std::string name;           // for sentences
};

class Plan {
 public:
  Plan(const ResumeFrom& from, const ResumeSituation& situation, const table::FeedSource& source, log::LogSource& log)
      : from_(from), situation_(situation), source_(source), log_(log) {}

  Result<table::FeedProgress> Make() {
    RETURN_IF_ERROR(CheckPossible());
    ASSIGN_OR_RETURN(auto ends, log_.DurableEnds(source_.topic));
    ASSIGN_OR_RETURN(auto firsts, log_.FirstRetained(source_.topic));
    for (auto& [partition, offset] : from_.offsets)
      if (!ends.contains(partition))
        return Refuse("\"" + source_.topic + "\" has no log partition " + std::to_string(partition.get()),
                      "it has " + std::to_string(ends.size()));
    table::FeedProgress out;
    out.journal_id = source_.journal_id;
    for (auto& [partition, end] : ends) {
      const Place place{partition, firsts.at(partition), end,
                        "log partition " + std::to_string(partition.get()) + " of \"" + source_.topic + "\""};
      const auto target = Target(place);
      RETURN_IF_ERROR(CheckTarget(place, target));
      ASSIGN_OR_RETURN(auto chain, ChainAt(place, target));
      if (target.get() > 0) out.partitions[partition] = {target, chain};
    }
    return out;
  }

 private:
  static Error Refuse(std::string why, std::string hint) { return {ErrorCode::kInvalid, std::move(why), std::move(hint)}; }

  Result<void> CheckPossible() const {
    using Kind = ResumeFrom::Kind;
    if (from_.kind == Kind::kTable && !situation_.content)
      return Refuse("no snapshot of the table says how far it was fed",
                    "--from hot goes on with the events that were in no table yet, --from log with all that the log still has");
    if (from_.kind == Kind::kTable && situation_.content->journal_id != source_.journal_id)
      return Refuse("the table was fed by the log " + situation_.content->journal_id + ", this is " + source_.journal_id,
                    "`sluice restore` makes a log that goes on behind a table");
    if (from_.kind == Kind::kHot && !situation_.known)
      return Refuse("the log does not remember how far it fed a table", "use --from table, --from log, or offsets");
    if (from_.kind == Kind::kLog && situation_.has_rows && !situation_.content)
      return Refuse("the table holds rows, and nobody knows which: some would be in it twice", "use --from hot, or offsets");
    return {};
  }

  log::Offset Target(const Place& place) const {
    switch (from_.kind) {
      case ResumeFrom::Kind::kTable: return At(*situation_.content, place.partition);
      case ResumeFrom::Kind::kHot: return At(*situation_.known, place.partition);
      case ResumeFrom::Kind::kLog: return place.retained;
      case ResumeFrom::Kind::kOffsets: break;
    }
    if (auto at = from_.offsets.find(place.partition); at != from_.offsets.end()) return at->second;
    return situation_.content ? At(*situation_.content, place.partition)
           : situation_.known ? At(*situation_.known, place.partition)
                              : place.retained;
  }

  Result<void> CheckTarget(const Place& place, log::Offset target) const {
    if (target > place.end)
      return Refuse("offset " + Text(target) + " lies behind the end of " + place.name + ", which is " + Text(place.end), "");
    if (target < place.retained)
      return Refuse(
          "the log has " + place.name + " from offset " + Text(place.retained) + " on: those from " + Text(target) + " on would be missing",
          "to go on without them, say --from " + std::to_string(place.partition.get()) + ":" + Text(place.retained));
    if (situation_.has_rows && situation_.content && target < At(*situation_.content, place.partition))
      return Refuse("the table holds " + place.name + " up to offset " + Text(At(*situation_.content, place.partition)) + ": from " +
                        Text(target) + " on rows would be in it twice",
                    "use --from table");
    if (!situation_.content && !situation_.known) return {};
    log::Offset fed = place.retained;
    for (auto* progress : {&situation_.content, &situation_.known})
      if (*progress) fed = std::max(fed, At(**progress, place.partition));
    if (target > fed)
      return Refuse("events from offset " + Text(fed) + " on of " + place.name + " are in no table yet: going on at " + Text(target) +
                        " would leave them out",
                    "use --from hot");
    return {};
  }

  Result<uint32_t> ChainAt(const Place& place, log::Offset target) const {
    if (target.get() == 0) return uint32_t{0};
    auto chain = log_.ChainAt(source_.topic, place.partition, target);
    if (!chain.ok() && chain.error().code == ErrorCode::kNotFound)
      return Refuse("offset " + Text(target) + " of " + place.name + " is no border between stored batches",
                    "use an offset at which a table or a batch ended");
    return chain;
  }

  const ResumeFrom& from_;
  const ResumeSituation& situation_;
  const table::FeedSource& source_;
  log::LogSource& log_;
};

// Frames of one portion become rows, files, and a commit.
class Refiller {
 public:
  Refiller(io::Env env, log::LogSource& log, table::Table& table, table::ChunkMemory& memory, table::TableCommitter& committer,
           WritingTurns& turns, std::shared_ptr<const table::TableVersion> version, const iceberg::DataFileOptions& files)
      : env_(env),
        log_(log),
        table_(table),
        memory_(memory),
        committer_(committer),
        turns_(turns),
        version_(std::move(version)),
        files_(files) {}

  Result<void> Run() {
    // In this order: rows that come between the two calls begin where the log ended.
    ASSIGN_OR_RETURN(until_, log_.DurableEnds(table_.topic_name()));
    for (auto& [partition, offset] : table_.hot().first_rows()) until_[partition] = offset;
    table::PartitionOffsets from;
    for (auto& [partition, offset] : until_)
      if (At(version_->progress, partition) < offset) from[partition] = At(version_->progress, partition);
    if (from.empty()) return {};
    env_.log.Info("filling the table from the log", {{"table", table_.name().ToString()}});
    ASSIGN_OR_RETURN(auto reader, log_.NewReader(table_.topic_name(), from));
    while (!IsDone(*reader)) {
      ASSIGN_OR_RETURN(auto run, reader->Next(kRefillBytes));
      if (run.empty())
        return Error{ErrorCode::kCorruption, "the log of \"" + table_.topic_name() + "\" ends before the rows in memory begin",
                     "restart the server"};
      RETURN_IF_ERROR(Write(run));
    }
    return {};
  }

 private:
  bool IsDone(const log::LogReader& reader) const {
    return std::all_of(reader.position().begin(), reader.position().end(), [&](auto& p) { return p.second >= until_.at(p.first); });
  }

  Result<void> Write(const log::FrameRun& run) {
    table::HotTail rows(memory_, {});
    table::FeedProgress next = version_->progress;
    for (auto& frame : run.frames()) {
      if (frame.base_offset >= until_.at(frame.partition)) continue;
      RETURN_IF_ERROR(table::AppendFrame(rows, frame, At(next, frame.partition), scratch_));
      next.partitions[frame.partition] = {frame.next_offset, frame.chain};
    }
    rows.Publish(table::kAlreadyDurable);
    rows.Close();
    const auto slice = rows.Slice(UINT64_MAX);
    ASSIGN_OR_RETURN(auto staged, StageDataFiles(env_, turns_, version_->metadata, files_, slice.chunks));
    auto committed = committer_.AppendUnpublished(staged.files, version_->progress.offsets(), next);
    if (!committed.ok()) {
      if (committed.error().code != ErrorCode::kCommitUnknown) RemoveStagedFiles(env_, staged.files);
      return committed.error();
    }
    version_ = std::move(*committed);
    env_.log.Info("rows tiered",
                  {{"table", table_.name().ToString()}, {"rows", staged.rows}, {"files", staged.files.size()}, {"bytes", staged.bytes}});
    return {};
  }

  io::Env env_;
  log::LogSource& log_;
  table::Table& table_;
  table::ChunkMemory& memory_;
  table::TableCommitter& committer_;
  WritingTurns& turns_;
  std::shared_ptr<const table::TableVersion> version_;
  const iceberg::DataFileOptions& files_;
  table::PartitionOffsets until_;
  event::EventBatch scratch_;
};

}  // namespace

Result<ResumeFrom> ParseResumeFrom(std::string_view text) {
  if (text == "table") return ResumeFrom{ResumeFrom::Kind::kTable, {}};
  if (text == "hot") return ResumeFrom{ResumeFrom::Kind::kHot, {}};
  if (text == "log") return ResumeFrom{ResumeFrom::Kind::kLog, {}};
  ResumeFrom out{ResumeFrom::Kind::kOffsets, {}};
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto colon = part.find(':');
    int32_t partition = 0;
    int64_t offset = 0;
    if (colon == std::string_view::npos || !ParseNumber(part.substr(0, colon), partition) || !ParseNumber(part.substr(colon + 1), offset)) {
      out.offsets.clear();
      break;
    }
    out.offsets[log::LogPartition(partition)] = log::Offset(offset);
  }
  if (!out.offsets.empty()) return out;
  return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no place to go on from",
               "use table, hot, log, or offsets by log partition as in 0:1707,3:12"};
}

Result<table::FeedProgress> PlanResumption(const ResumeFrom& from, const ResumeSituation& situation, const table::FeedSource& source,
                                           log::LogSource& log) {
  return Plan(from, situation, source, log).Make();
}

Result<void> Refill(io::Env env, log::LogSource& log, table::Table& table, table::ChunkMemory& memory, table::TableCommitter& committer,
                    WritingTurns& turns, std::shared_ptr<const table::TableVersion> version, const iceberg::DataFileOptions& files) {
  return Refiller(env, log, table, memory, committer, turns, std::move(version), files).Run();
}

}  // namespace sluice::tier
