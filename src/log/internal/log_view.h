// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What readers see of the log: per log partition where its durable frames are (a sparse index over topic files and journal
// segments), and the newest commits in memory. The loop writes it, any thread reads it; the mutex is never held across io.

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/env.h"
#include "log/internal/journal.h"
#include "log/internal/topic_file.h"
#include "log/reader.h"

namespace sluice::log {

// Where to start reading for the frames from `base` on.
struct IndexEntry {
  Offset base;
  CommitSequence sequence;
  uint64_t bytes_before = 0;  // of this partition's frames, from some zero that a restart moves
  uint32_t chain_before = 0;
  std::shared_ptr<const TopicFile> file;  // null: in the journal
  size_t block = 0;                       // of `file`
  SegmentNumber segment;                  // in the journal: place of the commit
  uint64_t position = 0;
};

struct PartitionView {
  Offset first, end;         // retained and durable: [first, end)
  uint32_t chain = 0;        // up to end
  uint64_t bytes_total = 0;  // on the scale of bytes_before
  std::deque<IndexEntry> index;  // ascending; covers [first, end)
};

// Where a reader goes on. `place` is unknown for a commit that did not exist when the reader got there.
struct CommitCursor {
  CommitSequence sequence;
  bool has_place = false;
  SegmentNumber segment;
  uint64_t position = 0;
};

// The next thing to read.
struct ReadStep {
  enum class Kind : uint8_t { kNothing, kFileBlock, kMemory, kSegment } kind = Kind::kNothing;
  LogPartition partition;                 // kFileBlock
  std::shared_ptr<const TopicFile> file;  // kFileBlock
  size_t block = 0;                       // kFileBlock
  std::shared_ptr<const void> memory;     // kMemory
  std::string_view body;                  // kMemory
  CommitHeader header;                    // kMemory
  CommitCursor cursor;                    // kSegment
};

class LogView final : public LogSource {
 public:
  LogView(io::Env env, LogPaths paths, const JournalId& journal, uint64_t tail_bytes_max);

  // ---- the loop ----
  void AddTopic(const std::string& name, const std::vector<PartitionView>& partitions);
  // A durable commit: its frames become visible. `memory` null (recovery): it is read from disk when wanted.
  void Publish(const CommitHeader& header, std::string_view body, std::shared_ptr<const void> memory);
  void RingWatchers();
  // Recovery: a partition that reaches less far than `end` has nothing left; all of it is in its table.
  void RaiseEnd(const std::string& topic, LogPartition partition, Offset end, uint32_t chain);
  // Recovery: topic files that lie before a gap in their partition. What was in the gap was tiered, so were they; a crash came before
  // their removal.
  std::vector<Path> TakeOrphans();
  // Recovery: offsets between what was known of a partition and what followed. Right if they are in the table, a loss otherwise.
  struct Gap {
    std::string topic;
    LogPartition partition;
    Offset begin, end;
  };
  std::vector<Gap> TakeGaps();
  // The segments from `first` on are in the journal; what older ones held is in `files` or gone. One file per partition at most.
  struct CopiedPartition {
    std::string topic;
    LogPartition partition;
    std::shared_ptr<const TopicFile> file;
  };
  void RetireSegments(SegmentNumber first, const std::vector<CopiedPartition>& files);
  // Whether there are topic files that lie before these offsets.
  bool HasFilesBefore(const std::string& topic, const std::map<LogPartition, Offset>& offsets) const;
  // Forgets them; answers their paths for removal.
  std::vector<Path> DropFilesBefore(const std::string& topic, const std::map<LogPartition, Offset>& offsets);
  // Bytes of frames at and behind `offset`, at least.
  uint64_t BytesFrom(const std::string& topic, LogPartition partition, Offset offset) const;
  uint64_t tail_bytes() const;
  uint64_t topic_file_bytes() const;
  // The segments that hold commits, oldest first, and their commits.
  struct SegmentRange { SegmentNumber number; CommitSequence first, last; };
  std::vector<SegmentRange> Segments() const;
  // Index entries of one partition (tests, checkpoints).
  std::optional<PartitionView> Partition(std::string_view topic, LogPartition partition) const;

  // ---- readers ----
  ReadStep PlanStep(const std::string& topic, const std::map<LogPartition, Offset>& position, CommitCursor& cursor) const;
  bool HasSegment(SegmentNumber segment) const;
  io::FileSystem& files() const { return env_.files; }
  const LogPaths& paths() const { return paths_; }
  const JournalId& journal() const { return journal_; }

  Result<std::map<LogPartition, Offset>> DurableEnds(std::string_view topic) override;
  Result<std::map<LogPartition, Offset>> FirstRetained(std::string_view topic) override;
  Result<std::map<LogPartition, OffsetRange>> Cut(std::string_view topic, const std::map<LogPartition, Offset>& from,
                                                 uint64_t bytes_max) override;
  Result<std::unique_ptr<LogReader>> NewReader(std::string_view topic, const std::map<LogPartition, Offset>& from) override;
  Result<uint32_t> ChainAt(std::string_view topic, LogPartition partition, Offset offset) override;
  void Watch(io::Signal* signal) override;
  void Unwatch(io::Signal* signal) override;

 private:
  struct TopicView { std::vector<PartitionView> partitions; };
  struct SegmentView { CommitSequence first, last; uint64_t end = 0; };
  struct TailCommit { CommitHeader header; std::string_view body; std::shared_ptr<const void> memory; };

  const TopicView* Find(std::string_view topic) const;
  void Forget(PartitionView& partition, Offset first);
  void AddFrame(const CommitHeader& header, const Frame& frame);
  void KeepInTail(const CommitHeader& header, std::string_view body, std::shared_ptr<const void> memory);
  static const IndexEntry* EntryFor(const PartitionView& partition, Offset offset);
  static const IndexEntry* EntryBehind(const PartitionView& partition, Offset offset);
  static Error OutOfRange(std::string_view topic, LogPartition partition, Offset offset, const PartitionView& p);
  bool Seek(const TopicView& topic, const std::map<LogPartition, Offset>& position, CommitCursor& cursor, ReadStep& step) const;
  bool FindPlace(CommitCursor& cursor) const;

  io::Env env_;
  const LogPaths paths_;
  const JournalId journal_;
  const uint64_t tail_bytes_max_;

  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, TopicView, std::less<>> topics_;
  std::map<SegmentNumber, SegmentView> segments_;
  std::deque<TailCommit> tail_;  // sequences without gaps, the last one is durable_
  uint64_t tail_bytes_ = 0;
  CommitSequence durable_;
  std::vector<io::Signal*> watchers_;
  std::vector<Path> orphans_;
  std::vector<Gap> gaps_;
};

}  // namespace sluice::log
