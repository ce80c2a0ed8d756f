// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The journal as the loop uses it: gather, cut, reap. Below it a writer thread and the segment files, above it admission.

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/env.h"
#include "log/internal/gather_buffer.h"
#include "log/internal/journal_directory.h"
#include "log/internal/journal_recovery.h"
#include "log/internal/journal_writer.h"
#include "log/internal/segment_files.h"

namespace sluice::log {

struct JournalOptions {
  uint64_t segment_bytes = 0;
  uint64_t commit_bytes_max = 0;
  std::function<void(const Error&)> on_fatal;
};

struct DurableCommit {
  CommitHeader header;
  std::string_view bytes;              // as on disk
  std::shared_ptr<const char> memory;  // keeps `bytes` alive
  std::string_view body() const { return bytes.substr(kCommitHeaderSize, header.length - kCommitHeaderSize); }
};

// Not thread-safe.
class Journal {
 public:
  // Goes on behind what `scan` found. REQUIRES: a torn tail was cut.
  static Result<std::unique_ptr<Journal>> Open(io::Env env, const LogPaths& paths, const JournalIdentity& identity,
                                               const JournalScan& scan, JournalOptions options, io::Signal& written);

  // ---- gathering ----
  GatherBuffer& buffer() { return buffer_; }
  // The option, or less: what the segments at hand can hold.
  uint64_t commit_bytes_max() const { return commit_bytes_max_; }
  void CountFrame() { frames_++; }
  uint32_t gathered_frames() const { return frames_; }
  // Of the commit that gathers, and of the newest one that was cut (durable or in flight).
  CommitSequence gathering() const { return cut_ + 1; }
  CommitSequence cut() const { return cut_; }

  // ---- writing ----
  bool in_flight() const { return writer_.in_flight(); }
  bool failed() const { return writer_.failed(); }
  // Starts to write what was gathered (nothing: an idle mark). False: the next segment is not ready; try again later.
  // REQUIRES: !in_flight(), !failed().
  bool Cut(Timestamp now);
  // The commit that became durable since the last call.
  std::optional<DurableCommit> Reap();

  // ---- segments ----
  SegmentNumber active() const { return active_.number; }
  // The number of the segment to prepare next, when none is waiting.
  std::optional<SegmentNumber> WantsSegment() const;
  void AddSegment(SegmentFile segment);
  // What gathered waits for the next segment: Cut would answer false.
  bool waits_for_segment() const { return !next_ && position_ + PadTo(buffer_.length(), kBlock) > active_.bytes; }
  // Why the next segment cannot be had for now: no space, or damage in what has to go before. Until then nothing may gather that only
  // that segment could hold, because nobody knows when it could be answered.
  void set_no_space(std::optional<Error> why) { no_space_ = std::move(why); }
  const std::optional<Error>& no_space() const { return no_space_; }
  bool HasSpaceFor(uint64_t bytes) const {
    return !no_space_ || next_ || position_ + PadTo(buffer_.length() + bytes, kBlock) <= active_.bytes;
  }
  // Set while commits wait for a segment, or soon will.
  const std::atomic<bool>& urgent() const { return urgent_; }

 private:
  Journal(io::Env env, const JournalId& id, const JournalOptions& options, io::Signal& written);
  bool MakeRoom(uint64_t bytes);

  const JournalId id_;
  const uint64_t commit_bytes_max_;
  GatherBuffer buffer_;
  uint32_t frames_ = 0;
  CommitSequence cut_;
  Timestamp last_time_;
  SegmentFile active_;
  uint64_t position_ = kBlock;
  std::optional<SegmentFile> next_;
  std::optional<Error> no_space_;
  std::optional<DurableCommit> writing_;
  std::atomic<bool> urgent_{false};
  JournalWriter writer_;  // last: its thread ends before the rest goes
};

}  // namespace sluice::log
