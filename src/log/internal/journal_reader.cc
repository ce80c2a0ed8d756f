// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_reader.h"

#include <algorithm>

#include "base/bytes.h"

namespace sluice::log {
namespace {

constexpr size_t kReadAhead = size_t{1} << 20;

}  // namespace

Result<SegmentReader> SegmentReader::Open(io::FileSystem& files, const Path& path) {
  ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, files.Open(path, {io::OpenMode::kRead}));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  return SegmentReader(std::move(file), size);
}

Result<std::string_view> SegmentReader::Read(uint64_t position, size_t n) {
  if (position >= size_) return std::string_view();
  n = static_cast<size_t>(std::min<uint64_t>(n, size_ - position));
  bool inside = position >= window_at_ && position + n <= window_at_ + window_.size();
  if (!inside) {
    window_.resize(static_cast<size_t>(std::min<uint64_t>(std::max(n, kReadAhead), size_ - position)));
    window_at_ = position;
    auto got = file_->Read(position, window_);
    if (!got.ok()) {
      window_.clear();
      return got.error();
    }
    window_.resize(*got);
  }
  return std::string_view(window_).substr(static_cast<size_t>(position - window_at_), n);
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
