// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads commits from a segment and says of each whether it is what was written at that place.

#include <memory>
#include <string>
#include <string_view>

#include "base/path.h"
#include "base/result.h"
#include "io/file_system.h"
#include "log/internal/journal_format.h"

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

// Not thread-safe. Reads ahead, so that a scan costs one read per MiB.
class SegmentReader {
 public:
  // `file` is shared with others who read it; it must not be open for direct I/O.
  SegmentReader(std::shared_ptr<io::File> file, uint64_t size) : file_(std::move(file)), size_(size) {}
  static Result<SegmentReader> Open(io::FileSystem& files, const Path& path);

  uint64_t size() const { return size_; }
  // Bytes [position, position + n), fewer at the end of the file. Until the next call.
  Result<std::string_view> Read(uint64_t position, size_t n);
  // The commit at `position`. Errors are those of the file system only.
  Result<CommitRead> ReadCommit(const JournalId& journal, SegmentNumber segment, uint64_t position);

 private:
  std::shared_ptr<io::File> file_;
  uint64_t size_;
  std::string window_;
  uint64_t window_at_ = 0;
};

}  // namespace sluice::log
