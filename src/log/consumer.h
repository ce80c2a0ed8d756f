// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The shape that tier, model, saga and sink share: everything is a consumer of the log whose progress is stored in the same
// atomic commit as its output.
//
//   Load ──▶ Pump cuts a slice [next, end) ──▶ Apply ──▶ Commit     output and progress become
//    ▲                    ▲                                │        true together or not at all
//    │                    └────────────── ok ──────────────┤
//    └──────────── kConflict, kCommitUnknown ──────────────┘
//
// A consumer owns its output and, inside it, its progress. The Pump owns the rest: reading, backoff, lag, pause and resume.
// There is no second loop.

#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "log/reader.h"
#include "log/types.h"

namespace sluice::log {

using FeedId = std::string;  // what a consumer reads: the name of a topic

// The first offset of each partition that is not in the output. Partitions that are not named start at their first retained
// offset.
struct Progress {
  std::map<FeedId, std::map<LogPartition, Offset>> next;
  bool operator==(const Progress&) const = default;
};

// What one Apply takes: a range of offsets per feed and partition, read only when asked.
class Slice {
 public:
  using Ranges = std::map<FeedId, std::map<LogPartition, OffsetRange>>;
  Slice(LogSource& source, Ranges ranges) : source_(source), ranges_(std::move(ranges)) {}
  const Ranges& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  uint64_t offsets() const;  // an upper bound of its rows
  uint64_t bytes() const;

  // Calls `visit` for every frame of the slice, in log order within each partition. The frame lives until `visit` returns. Its
  // first rows may lie before the range (skip them by offset): only after a resume in the middle of a frame.
  // An error of `visit` ends the reading and is returned.
  Result<void> Read(const std::function<Result<void>(const FeedId&, const Frame&)>& visit) const;

 private:
  LogSource& source_;
  Ranges ranges_;
};

// Commit when any of these is reached. 0 rows: after every slice.
struct CommitTrigger {
  uint64_t rows_max = 0;
  uint64_t bytes_max = 0;    // 0: no such bound
  int64_t age_us_max = 0;    // since the first Apply that is not committed; 0: no such bound
};

// Not thread-safe: one Pump, one thread. Calls may block in io, nowhere else.
class Consumer {
 public:
  virtual ~Consumer() = default;

  // Reads progress back from the output, settles a commit of unknown outcome, forgets what was only applied.
  // kUnavailable: the Pump backs off. kCorruption, kInvalid: it pauses this consumer, visibly.
  virtual Result<Progress> Load() = 0;

  // Turns `slice` into output that nobody sees yet: staged files, state changes, commands.
  // Outside effects (deliveries) carry ids made of feed and offset: after a crash the same events come again, cut differently.
  // An event that cannot be taken becomes output, too (dead letter, parked retry). On error nothing was taken.
  // REQUIRES: slices follow each other; one may hold fewer rows than offsets; none reaches into an open transaction.
  virtual Result<void> Apply(const Slice& slice) = 0;

  // Makes all that was applied visible together with `next`, in one act, if progress is still `from`.
  // kConflict: it is not, someone else moved it; kCommitUnknown: it may be done. After both: Load.
  virtual Result<void> Commit(const Progress& from, const Progress& next) = 0;

  // Work on the output that can wait, when there is nothing to apply; returns when to be called again at the latest, in microseconds
  // (-1: at any time). What fails in it is the consumer's own affair: it is tried again.
  virtual int64_t Idle() { return -1; }

  // When to commit: rows, bytes or age, whichever comes first.
  virtual CommitTrigger trigger() const = 0;
};

}  // namespace sluice::log
