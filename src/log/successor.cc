// SPDX-License-Identifier: Apache-2.0
#include "log/successor.h"

#include <algorithm>

#include "log/internal/checkpoint.h"
#include "log/internal/dedup_sealing.h"
#include "log/internal/journal.h"
#include "log/internal/log_recovery.h"
#include "log/internal/topic_file.h"

namespace sluice::log {
namespace {

constexpr uint64_t kReadBytes = uint64_t{8} << 20;
constexpr int64_t kWriteTimeoutNs = 60'000'000'000;
constexpr int64_t kWriteWaitUs = 10'000;

std::string Where(const std::string& topic, LogPartition partition) {
  return "log partition " + std::to_string(partition.get()) + " of \"" + topic + "\"";
}
std::string Text(Offset offset) { return std::to_string(offset.get()); }

class Successor {
 public:
  Successor(io::Env env, const Path& from, const Path& to, const LogOptions& options, const SuccessorTables& tables)
      : env_(env), from_(from), to_(to), options_(options), tables_(tables) {}

  Result<SuccessorReport> Make() {
    ASSIGN_OR_RETURN(old_, ReadLog(env_, from_, options_));
    options_.segment_bytes = old_.scan.segments.back().file_bytes;
    identity_ = MakeIdentity(env_.random);
    identity_.dedup_secret = old_.identity.dedup_secret;
    hasher_.emplace(identity_.dedup_secret);
    report_.journal_id = JournalIdText(identity_.id);
    // Numbers of the new journal follow on the old one's, so that topic files and dedup runs keep theirs. Up to `covered_` are commits
    // that never were, which the checkpoint covers; the first one of the new journal is behind them.
    covered_ = old_.scan.last + 1;
    if (auto since = OldestKey()) knows_all_since_ = *since;
    RETURN_IF_ERROR(env_.files.CreateDirectories(to_.journal));
    RETURN_IF_ERROR(CarryRuns());
    for (const auto& [topic, ends] : tables_.ends) RETURN_IF_ERROR(TakeRows(topic, ends));
    RETURN_IF_ERROR(SealKeys());
    for (const auto& [name, topic] : old_.topics.topics()) RETURN_IF_ERROR(CarryTopic(*topic));
    RETURN_IF_ERROR(ReplaceState());
    RETURN_IF_ERROR(WriteFirstCommit());
    RETURN_IF_ERROR(WriteState());
    RETURN_IF_ERROR(WriteIdentity(env_.files, to_, identity_));
    auto made = ReadLog(env_, to_, options_);
    if (!made.ok()) return made.error().While("reading the new log back");
    return std::move(report_);
  }

 private:
  // ---- remembered ids ----

  // The log knows every event that it took since then.
  std::optional<Timestamp> OldestKey() const {
    if (!old_.dedup->runs().empty()) return old_.dedup->runs().front()->range().oldest;
    return old_.dedup->open_since();
  }

  Result<void> CarryRuns() {
    for (const auto& run : old_.dedup->runs()) {
      DedupRunEntries entries(*run);
      ASSIGN_OR_RETURN(auto written, DedupRun::Write(env_, to_, identity_.id, run->range(), run->size(), entries));
      runs_.push_back(written->range());
    }
    return {};
  }

  // The rows that the old log took, as far as it does not know them to be in the table, must be those that it knows; those behind its
  // end are learnt.
  Result<void> TakeRows(const std::string& name, const std::map<LogPartition, TableEnd>& ends) {
    const Topic* topic = old_.topics.Find(name);
    std::optional<Offset> from;
    for (const auto& [partition, end] : ends) {
      if (topic != nullptr && partition.get() >= topic->partition_count())
        return Error{ErrorCode::kInvalid, "the table has rows of " + Where(name, partition) + ", the log has only " + std::to_string(topic->partition_count()),
                     "restore a log and tables that belong together"};
      const Offset known = topic == nullptr ? Offset() : topic->partition(partition).tiered;
      if (end.next > known) from = std::min(from.value_or(known), known);
    }
    if (!from) return {};
    return tables_.visit_rows(name, *from, [&](const TableRow& row) -> Result<void> {
      auto end = ends.find(row.partition);
      if (end == ends.end() || row.offset >= end->second.next) return {};  // not from a log
      const DedupKey key = hasher_->KeyOf(hasher_->ScopeOf(row.tenant, name), row.source, row.id);
      if (topic == nullptr || row.offset >= topic->partition(row.partition).next) return Learn(key, row);
      return row.offset < topic->partition(row.partition).tiered ? Result<void>() : CheckTaken(name, key, row);
    });
  }

  Result<void> CheckTaken(const std::string& topic, const DedupKey& key, const TableRow& row) const {
    if (!knows_all_since_ || row.append_time < *knows_all_since_) return {};
    ASSIGN_OR_RETURN(const DedupPlace place, Find(key));
    if (place.packed() == DedupPlace(row.partition, row.offset).packed()) return {};
    return Error{ErrorCode::kInvalid,
                 "the table has another event than the log at offset " + Text(row.offset) + " of " + Where(topic, row.partition) + ": \"" +
                     std::string(row.id) + "\" from \"" + std::string(row.source) + "\"",
                 "the log took events of its own since it was copied, and they are in no table: restore the log that fed the table"};
  }

  Result<DedupPlace> Find(const DedupKey& key) const {
    if (const auto* place = old_.dedup->open().Find(key)) return *place;
    DedupPlace place;
    RETURN_IF_ERROR(old_.dedup->FindOlder({&key, 1}, {&place, 1}));
    return place;
  }

  Result<void> Learn(const DedupKey& key, const TableRow& row) {
    auto& open = old_.dedup->open();
    open.Reserve(1);
    if (open.Find(key) != nullptr) return {};
    open.Insert(key, DedupPlace(row.partition, row.offset));
    report_.keys_learnt++;
    return open.size() < options_.dedup_table_keys() ? Result<void>() : SealKeys();
  }

  // What is remembered from now on is remembered for a whole window: nobody knows when it is sent again.
  Result<void> SealKeys() {
    if (old_.dedup->open().size() == 0) return {};
    old_.dedup->Touch(env_.clock.Now());
    if (covered_ == old_.dedup->covered()) ++covered_;
    old_.dedup->Freeze(covered_);
    auto keys = old_.dedup->KeysForNextRun();
    ASSIGN_OR_RETURN(auto run, SealTable(env_, to_, identity_.id, old_.dedup->frozen().front(), keys.get()));
    runs_.push_back(run->range());
    old_.dedup->Sealed(std::move(run), std::move(keys));
    return {};
  }

  // ---- topics ----

  Result<void> CarryTopic(Topic& topic) {
    ASSIGN_OR_RETURN(auto firsts, old_.view->FirstRetained(topic.name()));
    auto table = tables_.ends.find(topic.name());
    TopicConfig config = topic.config();
    if (table != tables_.ends.end()) config.first_offsets.clear();
    for (auto [partition, first] : firsts) {
      if (table == tables_.ends.end()) {
        RETURN_IF_ERROR(CarryFrames(topic, partition, first));
        continue;
      }
      auto at = table->second.find(partition);
      static const TableEnd kNothing;  // a copy of one or the other confuses gcc 12's flow analysis at -O2
      const TableEnd& end = at == table->second.end() ? kNothing : at->second;
      RETURN_IF_ERROR(CarryPartition(topic, partition, end, first));
      if (end.next.get() > 0) config.first_offsets[partition] = end.next;
    }
    return old_.topics.ApplyState(kTopicsStateTopic, {{topic.name(), EncodeTopicConfig(config)}}, old_.topics.NextStateOffset(kTopicsStateTopic));
  }

  Result<void> CarryPartition(Topic& topic, LogPartition partition, const TableEnd& end, Offset first) {
    auto& place = TopicTable::PartitionOf(topic, partition);
    auto& report = report_.topics[topic.name()][partition] = {place.next, end.next, 0};
    if (end.next <= place.next) RETURN_IF_ERROR(CheckFollows(topic, partition, end, first));
    if (end.next < place.next) {
      report.kept = static_cast<uint64_t>(place.next - end.next);
      RETURN_IF_ERROR(CarryFrames(topic, partition, end.next));
    } else {
      place.next = place.cut_next = place.durable_next = end.next;
      place.chain = 0;  // as of every partition that begins in a journal
    }
    place.tiered = end.next;
    return {};
  }

  Result<void> CheckFollows(const Topic& topic, LogPartition partition, const TableEnd& end, Offset first) const {
    if (first > end.next)
      return Error{ErrorCode::kInvalid,
                   "the table ends at offset " + Text(end.next) + " of " + Where(topic.name(), partition) + ", the log begins at " + Text(first),
                   "the events between them are in neither: restore a log and tables that belong together"};
    if (end.next.get() == 0 || !end.chain) return {};
    auto chain = old_.view->ChainAt(topic.name(), partition, end.next);
    if (chain.ok() && *chain == *end.chain) return {};
    if (!chain.ok() && chain.error().code != ErrorCode::kNotFound) return chain.error();
    return Error{ErrorCode::kInvalid,
                 "the log and the table diverge before offset " + Text(end.next) + " of " + Where(topic.name(), partition),
                 "the log took events of its own since it was copied, and they are in no table: restore the log that fed the table"};
  }

  Result<void> CarryFrames(const Topic& topic, LogPartition partition, Offset from) {
    ASSIGN_OR_RETURN(auto reader, old_.view->NewReader(topic.name(), {{partition, from}}));
    std::unique_ptr<TopicFileWriter> writer;
    for (;;) {
      ASSIGN_OR_RETURN(auto run, reader->Next(kReadBytes));
      if (run.empty()) break;
      for (const auto& frame : run.frames()) {
        if (writer == nullptr) {
          ASSIGN_OR_RETURN(writer, TopicFileWriter::Create(env_.files, TopicFileDirectory(to_, topic.name(), partition), identity_.id,
                                                           partition, frame.base_offset));
        }
        RETURN_IF_ERROR(writer->Add(frame, covered_));
      }
    }
    if (writer == nullptr) return {};
    ASSIGN_OR_RETURN(auto file, writer->Finish());
    return {};
  }

  Result<void> ReplaceState() {
    for (const auto& [state_topic, values] : tables_.state) {
      std::vector<StateEntry> entries;
      for (const auto& [key, value] : values) entries.push_back({key, value});
      RETURN_IF_ERROR(old_.topics.ApplyState(state_topic, entries, old_.topics.NextStateOffset(state_topic)));
    }
    return {};
  }

  // ---- the new journal ----

  Result<void> WriteFirstCommit() {
    JournalScan scan;
    scan.segments.push_back({SegmentNumber(1), options_.segment_bytes});
    scan.last = covered_;
    scan.last_time = old_.scan.last_time;
    ASSIGN_OR_RETURN(auto segment, PrepareSegment(env_, to_, {identity_.id, SegmentNumber(1), options_.segment_bytes}));
    segment.file.reset();
    auto written = env_.threads.NewSignal();
    JournalOptions options{options_.segment_bytes, options_.commit_bytes_max, [](const Error&) {}};
    ASSIGN_OR_RETURN(auto journal, Journal::Open(env_, to_, identity_, scan, options, *written));
    if (!journal->Cut(env_.clock.Now())) return Error{ErrorCode::kIo, "the new journal takes no commit", {}};
    const int64_t deadline = env_.clock.MonotonicNs() + kWriteTimeoutNs;
    while (!journal->Reap()) {
      if (journal->failed() || env_.clock.MonotonicNs() > deadline)
        return Error{ErrorCode::kIo, "the new journal cannot be written", "look for a full or broken disk"};
      written->Wait(kWriteWaitUs);
    }
    return {};
  }

  Result<void> WriteState() {
    Checkpoint checkpoint{covered_, SegmentNumber(1), old_.last_append_time, covered_, runs_, old_.topics.ToJson()};
    return WriteCheckpoint(env_.files, to_, EncodeCheckpoint(checkpoint, identity_.id));
  }

  io::Env env_;
  const LogPaths from_, to_;
  LogOptions options_;
  const SuccessorTables& tables_;
  RecoveredLog old_;  // becomes the new one's state
  JournalIdentity identity_;
  std::optional<DedupHasher> hasher_;
  CommitSequence covered_;
  std::optional<Timestamp> knows_all_since_;
  std::vector<DedupRunRange> runs_;
  SuccessorReport report_;
};

}  // namespace

Result<SuccessorReport> MakeSuccessor(io::Env env, const Path& from, const Path& to, const LogOptions& options, const SuccessorTables& tables) {
  ASSIGN_OR_RETURN(const bool taken, io::Exists(env.files, to));
  if (taken) return Error{ErrorCode::kExists, "\"" + to + "\" is there already", "remove it: it is what an attempt before this one left"};
  return Successor(env, from, to, options, tables).Make();
}

}  // namespace sluice::log
