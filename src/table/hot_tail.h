// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The rows of one table that its snapshot does not hold yet: a list of hot chunks, oldest first.
//
//   [closed][closed][closed][open]     append ──▶ open chunk      durable commit ──▶ rows become visible
//    └── slice of the tier ──┘         closed and all rows visible ──▶ the tier may take it
//
// A chunk leaves when a table commit that holds all its rows was published; its memory is used again once no view holds it.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "io/env.h"
#include "log/types.h"
#include "table/feed_progress.h"
#include "table/hot_chunk_reader.h"
#include "table/hot_chunk_writer.h"

namespace sluice::table {

// Recycles chunk memory, and has some ready before it is asked for: fresh pages cost more than the copy that fills them, and the log's
// thread must not wait for them. Thread-safe, but for Take: one thread takes.
class ChunkMemory {
 public:
  // `bytes_max`: the budget of all chunks together. `env` must outlive it.
  ChunkMemory(io::Env env, uint64_t bytes_max, size_t chunk_bytes = kHotChunkBytesDefault);
  ~ChunkMemory();
  // Rows that the log admitted must find a place, so the budget is not checked here but before admission: over_budget().
  // kExhausted: the system has no memory.
  Result<std::unique_ptr<io::SharedRegion>> Take();
  void GiveBack(std::unique_ptr<io::SharedRegion> region);
  // A number that no other chunk of this process has or had, of whatever table: readers know chunks by it.
  uint64_t NextChunkId();
  // True: admit nothing more until the tier has made room.
  bool over_budget() const { return bytes_used() >= bytes_max_; }
  uint64_t bytes_used() const;
  uint64_t bytes_max() const { return bytes_max_; }

 private:
  static constexpr size_t kReadyMin = 4;  // free chunks that are made ahead, once the first was taken
  Result<std::unique_ptr<io::SharedRegion>> Make();
  bool WantsMore() const;
  void Prepare();

  io::Env env_;
  const uint64_t bytes_max_;
  const size_t chunk_bytes_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<io::SharedRegion>> free_;
  uint64_t bytes_made_ = 0;
  uint64_t next_chunk_id_ = 1;
  bool stopping_ = false;
  std::unique_ptr<io::Signal> taken_;
  std::unique_ptr<io::Thread> thread_;
};

// One chunk. The writing side belongs to the log's thread; rows that are visible may be read from any thread.
class HotChunk {
 public:
  HotChunk(uint64_t id, std::unique_ptr<io::SharedRegion> region, ChunkMemory& memory);
  ~HotChunk();  // gives the memory back
  HotChunk(const HotChunk&) = delete;

  uint64_t id() const { return id_; }  // unique in this process
  int descriptor() const { return region_->descriptor(); }
  uint64_t bytes() const { return region_->bytes().size(); }
  HotChunkReader reader() const;

 private:
  friend class HotTail;
  static constexpr size_t kTypesTracked = 16;
  const uint64_t id_;
  std::unique_ptr<io::SharedRegion> region_;
  ChunkMemory& memory_;
  // The log's thread only.
  HotChunkWriter writer_;
  void NoteType(std::string_view type);
  std::set<std::string, std::less<>> types_;  // distinct event types; empty once there are more than kTypesTracked
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
  PartitionOffsets end;  // the offsets behind the newest of them, for every partition that ever had a row here
  uint64_t rows = 0;
};

// Append, Publish and Close: the log's thread. The others: any thread.
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

  std::vector<HotChunkView> View() const;
  // Closed chunks whose rows are all visible, up to `rows_max` rows (one chunk at least).
  HotSlice Slice(uint64_t rows_max) const;
  // Drops the chunks that lie before `progress` as a whole: a table commit that holds them was published.
  void Drop(const PartitionOffsets& progress);

  uint64_t rows_visible() const;
  // Rows in closed chunks that are all visible: what Slice can give.
  uint64_t rows_sliceable() const;
  uint64_t chunk_count() const;
  // Rows that were appended and are not visible yet.
  bool has_pending() const;
  // The oldest row here of each partition that has one.
  PartitionOffsets first_rows() const;
  // Where the log partitions stand behind all visible rows and behind all that was dropped.
  PartitionOffsets visible_end() const;
  // When the oldest visible row came, by append time; 0 when there is none.
  int64_t oldest_append_us() const;

 private:
  struct Entry {
    std::shared_ptr<HotChunk> chunk;
    uint32_t rows_appended = 0;  // as published to other threads under the mutex
    uint32_t rows_visible = 0;
    bool closed = false;
    bool splits_frame = false;    // the rest of its last frame is in the next chunk: no slice ends here
    PartitionOffsets begin;       // of the partitions that have a row in this chunk
    PartitionOffsets end;         // behind the rows appended so far
    int64_t first_append_us = 0;
    int64_t time_us_min = 0, time_us_max = 0;
    std::vector<std::string> types;
  };
  struct Pending {
    log::CommitSequence sequence;
    uint64_t chunk_id;
    uint32_t rows;
  };
  Result<void> OpenChunk();
  void Record(const EventRows& rows, size_t first, size_t n, log::CommitSequence sequence);
  static HotChunkView ViewOf(const Entry& entry);

  ChunkMemory& memory_;
  std::shared_ptr<HotChunk> open_;  // the log's thread only
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::deque<Pending> pending_;
  PartitionOffsets visible_end_;
  std::deque<std::pair<log::CommitSequence, std::pair<log::LogPartition, log::Offset>>> pending_ends_;
};

}  // namespace sluice::table
