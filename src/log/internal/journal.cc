// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {

Journal::Journal(io::Env env, const JournalId& id, const JournalOptions& options, io::Signal& written)
    : id_(id), commit_bytes_max_(options.commit_bytes_max), buffer_(options.commit_bytes_max), writer_(env.threads, written, options.on_fatal) {}

Result<std::unique_ptr<Journal>> Journal::Open(io::Env env, const LogPaths& paths, const JournalIdentity& identity,
                                               const JournalScan& scan, JournalOptions options, io::Signal& written) {
  size_t at = scan.active();
  for (size_t i = at; i < scan.segments.size(); i++) {  // made under other options
    options.commit_bytes_max = std::min(options.commit_bytes_max, scan.segments[i].file_bytes - kBlock);
  }
  std::unique_ptr<Journal> journal(new Journal(env, identity.id, options, written));
  journal->cut_ = scan.last;
  journal->last_time_ = scan.last_time;
  SegmentRequest request{identity.id, scan.segments.back().number + 1, options.segment_bytes};
  if (at == scan.segments.size()) {
    ASSIGN_OR_RETURN(journal->active_, PrepareSegment(env, paths, request));
    return journal;
  }
  const auto& active = scan.segments[at];
  ASSIGN_OR_RETURN(journal->active_, OpenSegment(env, paths, active.number, active.recycled));
  journal->position_ = active.end;
  if (at + 1 < scan.segments.size()) {
    const auto& next = scan.segments[at + 1];
    ASSIGN_OR_RETURN(journal->next_, OpenSegment(env, paths, next.number, next.recycled));
  }
  return journal;
}

bool Journal::MakeRoom(uint64_t bytes) {
  if (position_ + bytes <= active_.bytes) return true;
  urgent_.store(true, std::memory_order_relaxed);
  if (!next_) return false;
  active_ = std::move(*next_);
  next_.reset();
  position_ = kBlock;
  urgent_.store(false, std::memory_order_relaxed);
  CHECK(position_ + bytes <= active_.bytes, "a commit larger than a segment");
  return true;
}

bool Journal::Cut(Timestamp now) {
  if (!MakeRoom(PadTo(buffer_.length(), kBlock))) return false;
  if (position_ > active_.bytes / 2 && !next_) urgent_.store(true, std::memory_order_relaxed);
  SealedCommit sealed = buffer_.Seal();
  ++cut_;
  last_time_ = std::max(last_time_, now);
  CommitHeader header{kJournalFormatVersion, frames_, id_, active_.number, position_, cut_, last_time_, sealed.length, 0};
  header.body_crc = base::Crc32c(sealed.bytes.substr(kCommitHeaderSize, sealed.length - kCommitHeaderSize));
  EncodeCommitHeader(header, sealed.header);
  writer_.Submit({active_.file, position_, sealed.bytes});
  position_ += sealed.bytes.size();
  frames_ = 0;
  writing_ = DurableCommit{header, sealed.bytes, std::move(sealed.memory)};
  return true;
}

std::optional<DurableCommit> Journal::Reap() {
  if (!writer_.Reap()) return std::nullopt;
  return std::exchange(writing_, std::nullopt);
}

std::optional<SegmentNumber> Journal::WantsSegment() const {
  if (next_) return std::nullopt;
  return active_.number + 1;
}

void Journal::AddSegment(SegmentFile segment) {
  CHECK(!next_ && segment.number == active_.number + 1, "a segment out of turn");
  next_ = std::move(segment);
  urgent_.store(false, std::memory_order_relaxed);
}

}  // namespace sluice::log
