// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Making segments. A segment gets its name only when it is whole: zero-written (a first write into allocated but unwritten
// blocks costs a file system transaction), with its header durable. Crash at any point: at worst a file named `preparing`.

#include <atomic>
#include <memory>

#include "base/result.h"
#include "io/env.h"
#include "log/internal/journal_directory.h"

namespace sluice::log {

struct SegmentFile {
  SegmentNumber number;
  uint64_t bytes = 0;
  bool recycled = false;
  std::shared_ptr<io::File> file;  // open for direct I/O
};

struct SegmentRequest {
  JournalId journal_id{};
  SegmentNumber number;
  uint64_t bytes = 0;
  // Zeroing pauses between its steps, or it would slow down commits; not when the segment is needed now. May be null.
  const std::atomic<bool>* urgent = nullptr;
  // Set while it is made: nobody wants it any more. May be null.
  const std::atomic<bool>* ending = nullptr;
};

// Takes a spare segment if one of that size is there, else zero-writes a new file. kExhausted: no space; the caller waits.
// kCancelled: `ending`. Nothing remains of what was not finished.
Result<SegmentFile> PrepareSegment(io::Env env, const LogPaths& paths, const SegmentRequest& request);
// An existing one.
Result<SegmentFile> OpenSegment(io::Env env, const LogPaths& paths, SegmentNumber number, bool recycled);
// Takes the number away from a segment whose content is needed no more; the file becomes a spare. Durable when it returns.
Result<void> RetireSegment(io::Env env, const LogPaths& paths, SegmentNumber number);

}  // namespace sluice::log
