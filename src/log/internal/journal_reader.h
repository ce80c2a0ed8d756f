// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads commits from a segment and says of each whether it is what was written at that place.

#include <memory>
#include <string_view>

#include "base/large_array.h"
#include "base/path.h"
#include "base/result.h"
#include "io/file_system.h"
#include "log/internal/journal_format.h"
#include "log/internal/read_ahead.h"

namespace sluice::log {

enum class CommitState : uint8_t {
  kValid,
  kBadBody,       // the header is right and names this place, the frames are not what was written
  kElsewhere,     // a valid header that names another journal, segment or position: older bytes, or a copy
  kOtherVersion,  // a valid header of another format version
  kNone,          // nothing that could be a commit
};

struct CommitRead {
  CommitState state = CommitState::kNone;
  CommitHeader header;    // set unless kNone, kOtherVersion
  std::string_view body;  // kValid: the frames; until the next call of the reader
};

// Not thread-safe. Reads ahead, so that a scan costs one read for some MiB; and past the page cache, where what was written directly does not
// stand: bringing it there would cost several times the read.
class SegmentReader {
 public:
  // With `ahead`, which must outlive it, what follows is read while the caller looks at what it has.
  static Result<SegmentReader> Open(io::FileSystem& files, const Path& path, ReadAhead* ahead = nullptr);

  uint64_t size() const { return size_; }
  // Bytes [position, position + n), fewer at the end of the file. Until the next call. REQUIRES: a position where a block begins.
  Result<std::string_view> Read(uint64_t position, size_t n);
  // Both forget what they read; the memory is the other's to read with: fresh pages cost more than the read.
  void HandMemoryTo(SegmentReader& next);
  // The commit at `position`. Errors are those of the file system only.
  Result<CommitRead> ReadCommit(const JournalId& journal, SegmentNumber segment, uint64_t position);

 private:
  SegmentReader(std::shared_ptr<io::File> file, uint64_t size, ReadAhead* ahead) : file_(std::move(file)), size_(size), ahead_(ahead) {}
  bool IsInside(uint64_t position, size_t n) const { return position >= window_at_ && position + n <= window_at_ + window_.size(); }
  Result<void> ReadWindow(uint64_t position, size_t n);
  Result<void> TakeNext(uint64_t position, size_t n);
  Result<void> Gather(uint64_t position, size_t n);

  std::shared_ptr<io::File> file_;
  uint64_t size_;
  ReadAhead* ahead_;
  base::LargeArray<char> memory_;
  base::LargeArray<char> gathered_;  // for commits that are longer than what is read at once
  std::string_view window_;          // of one of both
  uint64_t window_at_ = 0;
};

}  // namespace sluice::log
