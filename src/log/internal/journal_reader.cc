// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_reader.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kWindow = size_t{4} << 20;

}  // namespace

Result<SegmentReader> SegmentReader::Open(io::FileSystem& files, const Path& path, ReadAhead* ahead) {
  ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, files.Open(path, {.mode = io::OpenMode::kRead, .direct = true}));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  return SegmentReader(std::move(file), size, ahead);
}

void SegmentReader::HandMemoryTo(SegmentReader& next) {
  next.memory_ = std::exchange(memory_, {});
  window_ = next.window_ = {};
}

Result<std::string_view> SegmentReader::Read(uint64_t position, size_t n) {
  CHECK(position % kBlock == 0, "a read inside a block");
  if (position >= size_) return std::string_view();
  n = static_cast<size_t>(std::min<uint64_t>(n, size_ - position));
  if (!IsInside(position, n)) RETURN_IF_ERROR(TakeNext(position));
  if (!IsInside(position, n)) RETURN_IF_ERROR(ReadWindow(position, n));
  const auto at = static_cast<size_t>(position - window_at_);
  return window_.substr(std::min(at, window_.size()), n);
}

Result<void> SegmentReader::ReadWindow(uint64_t position, size_t n) {
  // Whoever looks at the first block of a file wants to know whose it is.
  const size_t wanted =
      position == 0 ? PadTo(n, kBlock) : PadTo(std::max<uint64_t>(n, std::min<uint64_t>(kWindow, size_ - position)), kBlock);
  if (memory_.size() < wanted) memory_ = base::LargeArray<char>(position == 0 ? wanted : std::max(wanted, ReadAhead::kRoom + kWindow));
  window_ = {};
  window_at_ = position;
  ASSIGN_OR_RETURN(const size_t got, file_->Read(position, {memory_.begin(), wanted}));
  window_ = {memory_.begin(), got};
  BeginNext({});
  return {};
}

// Makes the window of what was read ahead and what the old one has of a commit that lies across their border, if they hold `position`.
Result<void> SegmentReader::TakeNext(uint64_t position) {
  const uint64_t border = window_at_ + window_.size();
  if (ahead_ == nullptr || position < window_at_ || position > border || border - position > ReadAhead::kRoom) return {};
  ASSIGN_OR_RETURN(auto next, ahead_->Take(*file_, border));
  if (next.memory.size() == 0) return {};
  const auto across = static_cast<size_t>(border - position);
  char* const begin = next.memory.begin() + ReadAhead::kRoom - across;
  std::copy_n(window_.data() + window_.size() - across, across, begin);
  memory_.swap(next.memory);
  window_ = {begin, across + next.bytes};
  window_at_ = position;
  BeginNext(std::move(next.memory));
  return {};
}

void SegmentReader::BeginNext(base::LargeArray<char> memory) const {
  const uint64_t border = window_at_ + window_.size();
  if (ahead_ == nullptr) return;
  if (window_at_ == 0 || border % kBlock != 0 || border >= size_) return ahead_->Keep(std::move(memory));
  ahead_->Begin(file_, border, static_cast<size_t>(PadTo(std::min<uint64_t>(kWindow, size_ - border), kBlock)), std::move(memory));
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
