// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A sealed dedup run: keys and places of a range of commits, sorted, immutable.
//
//   file  = [header 4 KiB] [block 4 KiB]... [first key of each block] [filter]
//   block = [CRC-32C u32] [count u32] entries of 24 bytes: key high, key low, place
//
// Index and filter (3 bytes a key) stay in memory: a key that is not in the run costs one cache line, one that is one read.
// Format: docs/formats/journal.md. The name is <first>-<last>.run; it appears when the file is whole.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"
#include "log/internal/dedup_table.h"
#include "log/internal/journal_directory.h"

namespace sluice::log {

struct DedupRunRange {
  CommitSequence first, last;   // the run covers [first, last]
  Timestamp oldest, newest;     // append times
};

class DedupRun {
 public:
  // Reads header, index and filter. kCorruption names the file.
  static Result<std::shared_ptr<const DedupRun>> Open(io::FileSystem& files, const Path& path, const JournalId& journal);
  // Writes `entries` (ascending by key, none twice) durably and opens the file.
  static Result<std::shared_ptr<const DedupRun>> Write(io::FileSystem& files, const LogPaths& paths, const JournalId& journal,
                                                       const DedupRunRange& range, const std::vector<DedupEntry>& entries);

  const Path& path() const { return path_; }
  const DedupRunRange& range() const { return range_; }
  size_t size() const { return keys_; }
  uint64_t file_bytes() const { return file_bytes_; }
  // False: not in the run. True: probably is (about 1 in 10,000 keys that are not answers true).
  bool MayHold(const DedupKey& key) const;
  // Before MayHold, some keys ahead: the filter is larger than the caches.
  void Prefetch(const DedupKey& key) const;
  // An empty place: not in the run. kCorruption names file and position.
  Result<DedupPlace> Find(const DedupKey& key) const;
  Result<std::vector<DedupEntry>> ReadAll() const;

 private:
  DedupRun() = default;
  Result<void> ReadHeader(const JournalId& journal);
  Result<void> ReadBlock(size_t block, std::vector<DedupEntry>& entries) const;

  Path path_;
  std::unique_ptr<io::File> file_;
  DedupRunRange range_;
  size_t keys_ = 0;
  uint64_t file_bytes_ = 0;
  std::vector<DedupKey> first_keys_;  // of each block
  std::vector<uint64_t> filter_;      // lines of eight words
};

// The runs of a log directory, oldest first; those that another one contains (a merge before a crash) are left out and added to
// `obsolete`. kCorruption: one in the middle is missing.
Result<std::vector<std::shared_ptr<const DedupRun>>> OpenDedupRuns(io::FileSystem& files, const LogPaths& paths, const JournalId& journal,
                                                                   std::vector<Path>& obsolete);

}  // namespace sluice::log
