// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A sealed dedup run: keys and places of a range of commits, sorted, immutable.
//
//   file  = [header 4 KiB] [block 4 KiB]... [filter] [first key of each block]
//   block = [CRC-32C u32, of its place in this run and its bytes] [count u32] entries of 24 bytes: key high, key low, place
//
// A key that is not in the run costs one cache line of the filter (dedup_filter.h, 4 bytes a key), one that is a search in the index and
// the read of a block. Filter and index are looked at where they stand in the file, mapped: a window of many millions of keys takes memory
// that the kernel can have back. They are compared with their checksums when the run is opened; later they are what the kernel reads again
// when it took their pages back.
// Format: docs/formats/journal.md. The name is <first>-<last>.run; it appears when the file is whole.

#include <memory>
#include <string>
#include <vector>

#include "base/large_array.h"
#include "base/prefetch.h"
#include "base/result.h"
#include "base/time.h"
#include "io/env.h"
#include "log/internal/dedup_filter.h"
#include "log/internal/dedup_table.h"
#include "log/internal/journal_directory.h"

namespace sluice::log {

struct DedupRunRange {
  CommitSequence first, last;  // the run covers [first, last]
  Timestamp oldest, newest;    // append times
};

class DedupRun {
 public:
  // Reads header, index and filter. kCorruption names the file.
  static Result<std::shared_ptr<const DedupRun>> Open(io::Env env, const Path& path, const JournalId& journal);
  // Writes `entries` (`keys` in all, none twice) durably and opens the file.
  static Result<std::shared_ptr<const DedupRun>> Write(io::Env env, const LogPaths& paths, const JournalId& journal,
                                                       const DedupRunRange& range, size_t keys, DedupEntries& entries);

  const Path& path() const { return path_; }
  const DedupRunRange& range() const { return range_; }
  size_t size() const { return keys_; }
  uint64_t file_bytes() const { return file_bytes_; }
  // False: not in the run. True: probably is (about 1 in 170,000 keys that are not answers true).
  bool MayHold(const DedupKey& key, const DedupFilterBits& bits) const { return log::MayHold(LineOf(key), bits); }
  // Fetches what MayHold looks at: a filter is larger than the caches.
  void Prefetch(const DedupKey& key) const { base::Prefetch(&LineOf(key)); }
  // An empty place: not in the run. kCorruption names file and position.
  Result<DedupPlace> Find(const DedupKey& key) const;

 private:
  friend class DedupRunEntries;
  explicit DedupRun(io::FileSystem& files) : files_(files) {}
  const DedupFilterLine& LineOf(const DedupKey& key) const { return filter_[FilterLineOf(key, filter_.size())]; }
  Result<void> ReadHeader(io::SharedMemory& memory, const JournalId& journal);
  // As many blocks as `memory` has room for, from block `first` on.
  Result<void> ReadBlocks(io::File& file, size_t first, std::span<char> memory, std::vector<DedupEntry>& entries) const;

  io::FileSystem& files_;
  Path path_;
  std::unique_ptr<io::File> file_;
  DedupRunRange range_;
  size_t keys_ = 0;
  uint64_t file_bytes_ = 0;
  std::unique_ptr<io::SharedBytes> mapped_;
  std::span<const DedupFilterLine> filter_;  // in mapped_
  std::span<const DedupKey> first_keys_;     // of each block; in mapped_
};

using DedupRuns = std::vector<std::shared_ptr<const DedupRun>>;

// All of a run, which must outlive this and still have its file when it is first asked. Read past the page cache: a run is read whole
// once, to become part of another one.
class DedupRunEntries final : public DedupEntries {
 public:
  explicit DedupRunEntries(const DedupRun& run) : run_(run) {}
  // kCorruption as of Find; others as of FileSystem::Open.
  Result<std::span<const DedupEntry>> Next() override;

 private:
  const DedupRun& run_;
  std::unique_ptr<io::File> file_;
  base::LargeArray<char> memory_;
  size_t block_ = 0;
  std::vector<DedupEntry> entries_;
};

// The runs of a log directory, oldest first; those that another one contains (a merge before a crash) are left out and added to
// `obsolete`, as are those that a crash left unfinished, and those before a gap whose keys are all older than `kept_from`: an expired run
// whose removal failed. Ranges may overlap. kCorruption: one in the middle is missing.
Result<DedupRuns> OpenDedupRuns(io::Env env, const LogPaths& paths, const JournalId& journal, Timestamp kept_from,
                                std::vector<Path>& obsolete);

}  // namespace sluice::log
