// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {
Result<SegmentReader> SegmentReader::Open(io::FileSystem& files, const Path& path, ReadAhead* ahead) {
  ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, files.Open(path, {.mode = io::OpenMode::kRead, .direct = true}));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  return SegmentReader(std::move(file), size, ahead);
}

void SegmentReader::HandMemoryTo(SegmentReader& next) {
  next.memory_ = std::exchange(memory_, {});
  next.gathered_ = std::exchange(gathered_, {});
  window_ = next.window_ = {};
}

Result<std::string_view> SegmentReader::Read(uint64_t position, size_t n) {
  CHECK(position % kBlock == 0, "a read inside a block");
  if (position >= size_) return std::string_view();
  n = static_cast<size_t>(std::min<uint64_t>(n, size_ - position));
  if (!IsInside(position, n)) RETURN_IF_ERROR(TakeNext(position, n));
  if (!IsInside(position, n)) RETURN_IF_ERROR(ReadWindow(position, n));
  const auto at = static_cast<size_t>(position - window_at_);
  return window_.substr(std::min(at, window_.size()), n);
}

Result<void> SegmentReader::ReadWindow(uint64_t position, size_t n) {
  // Whoever looks at the first block of a file wants to know whose it is.
  const size_t least = position == 0 ? 0 : static_cast<size_t>(std::min<uint64_t>(ReadAhead::kPieceBytes, size_ - position));
  const auto wanted = static_cast<size_t>(PadTo(std::max(n, least), kBlock));
  if (memory_.size() < wanted)
    memory_ = base::LargeArray<char>(position == 0 ? wanted : std::max(wanted, ReadAhead::kRoom + ReadAhead::kPieceBytes));
  if (ahead_ != nullptr && position != 0) ahead_->Begin(file_, position + wanted, size_);
  window_ = {};
  window_at_ = position;
  ASSIGN_OR_RETURN(const size_t got, file_->Read(position, {memory_.begin(), wanted}));
  window_ = {memory_.begin(), got};
  return {};
}

// Makes the window of what was read ahead and what the old one has of a commit that lies across their border, if that holds the `n` bytes.
Result<void> SegmentReader::TakeNext(uint64_t position, size_t n) {
  const uint64_t border = window_at_ + window_.size();
  if (ahead_ == nullptr || position < window_at_ || position > border) return {};
  const auto across = static_cast<size_t>(border - position);
  if (across > ReadAhead::kRoom || n > across + ReadAhead::kPieceBytes) return Gather(position, n);
  ASSIGN_OR_RETURN(auto next, ahead_->Take(*file_, border));
  if (next.memory.size() == 0) return {};
  char* const begin = next.memory.begin() + ReadAhead::kRoom - across;
  std::copy_n(window_.data() + window_.size() - across, across, begin);
  memory_.swap(next.memory);
  ahead_->Keep(std::move(next.memory));
  window_ = {begin, across + next.bytes};
  window_at_ = position;
  return {};
}

// Makes the window of what the old one has of a commit and of as many pieces behind it as the `n` bytes take. Memory for a whole segment, made
// once: what no commit is long enough for is never touched.
Result<void> SegmentReader::Gather(uint64_t position, size_t n) {
  const std::string_view across = window_.substr(static_cast<size_t>(position - window_at_));
  if (gathered_.size() < size_ + ReadAhead::kPieceBytes)
    gathered_ = base::LargeArray<char>(static_cast<size_t>(size_) + ReadAhead::kPieceBytes);
  if (!across.empty()) std::memmove(gathered_.begin(), across.data(), across.size());  // which may be behind it in the same memory
  window_ = {gathered_.begin(), across.size()};
  window_at_ = position;
  while (window_.size() < n) {
    ASSIGN_OR_RETURN(auto next, ahead_->Take(*file_, position + window_.size()));
    if (next.memory.size() == 0) return {};
    std::copy_n(next.memory.begin() + ReadAhead::kRoom, next.bytes, gathered_.begin() + window_.size());
    window_ = {gathered_.begin(), window_.size() + next.bytes};
    ahead_->Keep(std::move(next.memory));
  }
  return {};
}

Result<CommitRead> SegmentReader::ReadCommit(const JournalId& journal, SegmentNumber segment, uint64_t position) {
  CommitRead read;
  ASSIGN_OR_RETURN(std::string_view bytes, Read(position, kCommitHeaderSize));
  auto header_state = DecodeCommitHeader(bytes, read.header);
  if (header_state != HeaderState::kValid) {
    read.state = header_state == HeaderState::kNone ? CommitState::kNone : CommitState::kOtherVersion;
    return read;
  }
  if (read.header.journal_id != journal || read.header.segment != segment || read.header.position != position) {
    read.state = CommitState::kElsewhere;
    return read;
  }
  ASSIGN_OR_RETURN(bytes, Read(position, read.header.length));
  bool whole = bytes.size() == read.header.length;
  if (whole) read.body = bytes.substr(kCommitHeaderSize);
  read.state = whole && base::Crc32c(read.body) == read.header.body_crc ? CommitState::kValid : CommitState::kBadBody;
  if (read.state == CommitState::kBadBody) read.body = {};
  return read;
}

}  // namespace sluice::log
