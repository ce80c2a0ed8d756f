// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reading a journal back after whatever happened.
//
//   ... [commit 41] [commit 42] [bad]  nothing valid behind it: a torn tail, never acknowledged: quarantined and zeroed
//   ... [commit 41] [bad] [commit 43]  damage: stop, name the place, touch nothing
//
// A commit is valid at its place only: journal id, segment, position and sequence must all match, so recycled bytes, copied
// segments and images of commits inside payloads are nothing.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "log/internal/journal_directory.h"
#include "log/internal/journal_format.h"
#include "log/internal/read_ahead.h"

namespace sluice::log {

struct SegmentScan {
  SegmentNumber number;
  uint64_t file_bytes = 0;
  bool recycled = false;
  uint64_t end = kBlock;       // behind its last commit
  CommitSequence first, last;  // 0: it holds no commit
};

struct TornTail {
  SegmentNumber segment;
  uint64_t position = 0;  // of the first byte that is not part of a valid commit
  uint64_t end = 0;       // behind the last byte worth keeping
};

struct JournalScan {
  std::vector<SegmentScan> segments;  // ascending, without gaps; at least one
  size_t newest = 0;                  // index of the one that holds the last commit (0 when none does)
  CommitSequence last;                // 0: the journal is empty
  Timestamp last_time;
  bool ends_idle = false;  // the last commit is an idle mark
  std::optional<TornTail> torn;
  // Index of the segment to go on in, at its `end`: behind a torn tail a fresh one (segments.size(): it has to be made).
  size_t active() const;
};

// What is known from elsewhere about where the journal must begin and end.
struct ScanExpectation {
  SegmentNumber first_segment{1};  // the oldest one that must be there; older ones are allowed
  CommitSequence covered;          // of the newest checkpoint: the journal must reach it and follow on it without a gap
};

// Called for each valid commit in sequence. An error ends the scan and is returned.
using CommitVisitor = std::function<Result<void>(const CommitHeader&, std::string_view body)>;

// Reads every segment; changes nothing. kCorruption, kInvalid (newer format) name file and position and say what to do.
// With `ahead` the disk works while commits are visited. REQUIRES: there is at least one segment file.
Result<JournalScan> ScanJournal(io::FileSystem& files, const LogPaths& paths, const JournalId& id, const ScanExpectation& expectation,
                                const CommitVisitor& visit, ReadAhead* ahead = nullptr);

// Copies the torn tail to quarantine/ (answers the copy's path), then zeroes the segment from there to its end and syncs. The
// journal must go on in the next segment. Safe to repeat after a crash.
Result<Path> CutTornTail(io::FileSystem& files, const LogPaths& paths, const TornTail& torn);

}  // namespace sluice::log
