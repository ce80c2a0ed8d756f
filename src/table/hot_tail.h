// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The rows of one table that its snapshot does not hold yet: a list of hot chunks, oldest first.
//
//   [closed][closed][closed][open]     append ──▶ open chunk      durable commit ──▶ rows become visible
//    └── slice of the tier ──┘         closed and all rows visible ──▶ the tier may take it
//
// A chunk leaves when a table commit that holds all its rows was published; its memory is used again once no view holds it. Closed
// chunks may move to files meanwhile.
//
// After a start rows that the log still has are loaded (hot_loader.h) before the ones that come in meanwhile:
//
//   [older: loaded, in whole frames] ... not loaded yet ... | border | [newer: appended]       the tier takes older ones only

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/env.h"
#include "log/types.h"
#include "table/chunk_memory.h"
#include "table/feed_progress.h"
#include "table/hot_chunk_reader.h"
#include "table/hot_chunk_writer.h"

namespace sluice::table {

// A part of a chunk's bytes as it was written to a file.
struct StoredPart {
  uint64_t at = 0, bytes = 0;
  uint32_t crc32c = 0;
};

// One chunk. The writing side belongs to one thread; rows that are visible may be read from any thread.
class HotChunk {
 public:
  // In memory, empty.
  HotChunk(uint64_t id, std::unique_ptr<io::SharedRegion> region, ChunkMemory& memory);
  // A full one in a file; `parts` are all of it that is not zero.
  HotChunk(uint64_t id, std::unique_ptr<io::SharedBytes> file, std::vector<StoredPart> parts, ChunkMemory& memory);
  ~HotChunk();  // gives memory or file back
  HotChunk(const HotChunk&) = delete;

  uint64_t id() const { return id_; }  // unique in this process
  int descriptor() const { return stored().descriptor(); }
  uint64_t bytes() const { return stored().view().size(); }
  bool in_file() const { return file_ != nullptr; }
  // kCorruption: the disk gives back other bytes than it was given; kIo: it gives back none. The log still has the rows. Reads all of a
  // file, nothing of memory.
  Result<void> Check() const;
  HotChunkReader reader() const;

 private:
  friend class HotTail;
  static constexpr size_t kTypesTracked = 16;
  const io::SharedBytes& stored() const { return file_ != nullptr ? *file_ : *region_; }
  const uint64_t id_;
  std::unique_ptr<io::SharedRegion> region_;  // one of the two
  std::unique_ptr<io::SharedBytes> file_;
  const std::vector<StoredPart> parts_;  // of the file
  ChunkMemory& memory_;
  // The writing thread only.
  std::optional<HotChunkWriter> writer_;  // of one in memory
  void NoteTypes(uint32_t first, uint32_t end);
  std::set<std::string, std::less<>> types_;            // distinct event types; empty once there are more than kTypesTracked
  std::array<StringView, kTypesTracked> seen_types_{};  // views of some of them: most rows share one
  size_t seen_next_ = 0;
  bool types_known_ = true;
};

// A chunk as one view sees it: its first `rows` rows. Immutable.
struct HotChunkView {
  std::shared_ptr<const HotChunk> chunk;
  uint32_t rows = 0;
  // Bounds over these rows or more, for pruning.
  int64_t time_us_min = 0, time_us_max = 0;
  std::vector<std::string> types;  // all event types in it; empty: not known
};

// What the tier takes: closed chunks, oldest first, and where the log partitions stand behind them.
struct HotSlice {
  std::vector<HotChunkView> chunks;
  PartitionOffsets begin;  // the first offset of each partition that has a row in them
  PartitionOffsets end;    // the offset behind the newest of them, of the same partitions
  uint64_t rows = 0;
};

// A chunk and what its tail knows of it.
struct HotEntry {
  std::shared_ptr<HotChunk> chunk;
  uint32_t rows_appended = 0;  // as published to other threads under the mutex
  uint32_t rows_visible = 0;
  bool closed = false;
  bool splits_frame = false;  // the rest of its last frame is in the next chunk: no slice ends here
  PartitionOffsets begin;     // of the partitions that have a row in this chunk
  PartitionOffsets end;       // behind the rows appended so far, of the same
  int64_t first_append_us = 0;
  int64_t time_us_min = 0, time_us_max = 0;
  std::vector<std::string> types;
  bool is_whole() const { return closed && rows_visible == rows_appended; }
};

// Bytes of the chunks that a tail holds, whether they are full or not.
struct HotBytes {
  uint64_t memory = 0, files = 0;
  uint64_t all() const { return memory + files; }
};

// Append, Publish, Close, AwaitOlder and TakeWhole: the writing thread, which is the log's but for private tails. The others: any thread.
//
// Slices end at borders between frames, because only there the log can say what its chain is: the rows of one Append stay in one
// chunk whenever an empty chunk can hold them.
class HotTail {
 public:
  // `memory` must outlive it and every chunk. `begin`: where the table's snapshot ends.
  HotTail(ChunkMemory& memory, PartitionOffsets begin);

  // Lays rows in; they become visible with Publish of `sequence`. kExhausted: the system has no memory; a part of the rows may be
  // in, and the process must not go on (a restart builds the tail anew from the log).
  Result<void> Append(const EventRows& rows, log::CommitSequence sequence);
  // Rows of commits up to `sequence` are durable now.
  void Publish(log::CommitSequence sequence);
  // The open chunk takes no more rows, so that a slice can hold all that was appended so far.
  void Close();

  // ---- rows that come from the log ----
  // Rows before `border` come by AddOlder from now on; until EndOlder slices hold only those. REQUIRES: no row came yet.
  void AwaitOlder(const PartitionOffsets& border);
  // Takes away the closed chunks up to the newest border between frames, of a private tail whose rows go to another one.
  std::deque<HotEntry> TakeWhole();
  // What TakeWhole gave. REQUIRES: the rows of each partition come in order.
  void AddOlder(std::deque<HotEntry> entries);
  // That was all of them.
  void EndOlder();
  bool awaits_older() const;

  std::vector<HotChunkView> View() const;
  // Closed chunks whose rows are all visible, up to `rows_max` rows (one chunk at least).
  HotSlice Slice(uint64_t rows_max) const;
  // Drops the chunks that lie before `progress` as a whole: a table commit that holds them was published.
  void Drop(const PartitionOffsets& progress);

  // Whether Drop would leave exactly the rows behind `progress`: each chunk lies before it as a whole, or behind it, and so does what is
  // not loaded yet. `from`: the progress until now.
  bool Fits(const PartitionOffsets& progress, const PartitionOffsets& from) const;
  // Forgets every row that is here. The writing thread.
  void Clear();

  // Moves one closed chunk from memory to a file: the oldest, or the newest (which the tier wants last). False: there is none.
  // Errors: ChunkMemory::WriteFile; the chunk then stays where it is. Copies; not for the log's thread.
  enum class Which : uint8_t { kOldest, kNewest };
  Result<bool> MoveToFile(Which which);

  uint64_t rows_visible() const;
  // Rows in closed chunks that are all visible: what Slice can give.
  uint64_t rows_sliceable() const;
  uint64_t chunk_count() const;
  HotBytes bytes() const;
  // Rows that were appended and are not visible yet.
  bool has_pending() const;
  // The oldest row here of each partition that has one.
  PartitionOffsets first_rows() const;
  // Where the log partitions stand behind all visible rows and behind all that was dropped.
  PartitionOffsets visible_end() const;
  // When the oldest visible row came, by append time; 0 when there is none.
  int64_t oldest_append_us() const;

 private:
  struct Pending {
    log::CommitSequence sequence;
    uint64_t chunk_id;
    uint32_t rows;
  };
  Result<void> OpenChunk();
  void Record(const EventRows& rows, size_t first, size_t n, log::CommitSequence sequence);
  static HotChunkView ViewOf(const HotEntry& entry);
  static bool Covers(const PartitionOffsets& progress, const HotEntry& entry);
  // REQUIRES of both: mutex_ is held.
  const std::deque<HotEntry>& Sliceable() const { return awaits_older_ ? older_ : entries_; }
  template <class Visit>
  void ForEach(Visit visit) const {
    for (auto* list : {&older_, &entries_})
      for (auto& entry : *list) visit(entry);
  }
  std::shared_ptr<HotChunk> FindInMemory(Which which) const;

  ChunkMemory& memory_;
  std::shared_ptr<HotChunk> open_;  // the writing thread only
  mutable std::mutex mutex_;
  std::deque<HotEntry> older_;  // empty unless awaits_older_
  std::deque<HotEntry> entries_;
  bool awaits_older_ = false;
  std::deque<Pending> pending_;
  PartitionOffsets visible_end_;
  std::deque<std::pair<log::CommitSequence, std::pair<log::LogPartition, log::Offset>>> pending_ends_;
};

}  // namespace sluice::table
