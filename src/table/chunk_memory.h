// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Where hot chunks stand: memory of a budget, and files of another one for rows that wait longer than memory lasts.
//
//   Take ──▶ memory ──(closed, its table does not get on)──▶ WriteFile ──▶ file, and the memory is used again
//
// New rows always go to memory. What memory is short of is decided here, by shares of the budget; who leaves it, by HotSpiller.

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/path.h"
#include "base/result.h"
#include "io/env.h"
#include "table/hot_chunk_format.h"

namespace sluice::table {

struct ChunkFiles {
  Path directory;          // exists
  uint64_t bytes_max = 0;  // of all files together; 0: no files
};

// Recycles chunk memory, and has some ready before it is asked for: fresh pages cost more than the copy that fills them, and the log's
// thread must not wait for them. Thread-safe.
class ChunkMemory {
 public:
  // `bytes_max`: the budget of all chunks in memory together. `env` must outlive it.
  ChunkMemory(io::Env env, uint64_t bytes_max, size_t chunk_bytes = kHotChunkBytesDefault, ChunkFiles files = {});
  ~ChunkMemory();

  // Rows that the log admitted must find a place, so the budget is not checked here but before admission: over_budget().
  // kExhausted: the system has no memory.
  Result<std::unique_ptr<io::SharedRegion>> Take();
  void GiveBack(std::unique_ptr<io::SharedRegion> region);
  // A chunk in a file: `parts` of its bytes, each with its position; what is left out reads as zeros. kExhausted: the budget of files
  // or the disk is full. Other errors: of the file system. Writes; not for the log's thread.
  struct Part {
    uint64_t at;
    std::span<const char> bytes;
  };
  Result<std::unique_ptr<io::SharedBytes>> WriteFile(std::span<const Part> parts);
  void GiveBackFile(std::unique_ptr<io::SharedBytes> file);
  // A number that no other chunk of this process has or had, of whatever table: readers know chunks by it.
  uint64_t NextChunkId();

  // True: admit nothing more until rows have left.
  bool over_budget() const { return bytes_used() >= bytes_max_; }
  // True: rows of closed chunks are due, whatever their table's intervals say.
  bool is_short() const { return bytes_used() >= bytes_max_ / 2; }
  // False: what can wait (rows that the log still has) leaves the rest to new rows, and all rows are due.
  bool has_room_to_load() const { return bytes_used() + chunk_bytes_ <= bytes_max_ / 4 * 3; }
  // True: rows go to files even if their table gets on.
  bool is_nearly_full() const { return bytes_used() + chunk_bytes_ > bytes_max_ / 8 * 7; }
  // Memory that tables that do not get on may have together before their rows go to files.
  uint64_t stuck_bytes_max() const { return bytes_max_ / 4; }

  // Memory for the rows of one table while they are loaded; behind it they have to leave first.
  uint64_t loading_bytes_max() const { return bytes_max_ / 2; }

  size_t chunk_bytes() const { return chunk_bytes_; }
  uint64_t bytes_used() const;
  uint64_t bytes_max() const { return bytes_max_; }
  uint64_t file_bytes_used() const;
  uint64_t file_bytes_max() const { return files_.bytes_max; }
  bool files_are_full() const { return file_bytes_used() + chunk_bytes_ > files_.bytes_max; }

 private:
  static constexpr size_t kReadyMin = 4;  // free chunks that are made ahead, once the first was taken
  Result<std::unique_ptr<io::SharedRegion>> Make();
  Result<std::unique_ptr<io::SharedBytes>> WriteParts(std::span<const Part> parts);
  bool WantsMore() const;
  void Prepare();

  io::Env env_;
  const uint64_t bytes_max_;
  const size_t chunk_bytes_;
  const ChunkFiles files_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<io::SharedRegion>> free_;
  uint64_t bytes_made_ = 0;
  uint64_t file_bytes_ = 0;
  uint64_t next_chunk_id_ = 1;
  bool started_ = false, stopping_ = false;
  std::unique_ptr<io::Signal> taken_;
  std::unique_ptr<io::Thread> thread_;  // made by the first Take
};

}  // namespace sluice::table
