// SPDX-License-Identifier: Apache-2.0
#include "log/internal/topic_file.h"

#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {
namespace {

constexpr uint64_t kTopicFileMagic = 0x4349504f54434c53;  // "SLCTOPIC"
constexpr size_t kHeaderSize = 64;
constexpr size_t kBlockHeaderSize = 8;
constexpr size_t kIndexEntrySize = 36;
constexpr size_t kFooterSize = 40;
constexpr size_t kReadablePadding = 64;
constexpr uint64_t kIndexBytesMax = uint64_t{64} << 20;

std::string Header(const JournalId& journal, LogPartition partition, Offset base_offset) {
  std::string to;
  base::AppendLittle(to, kTopicFileMagic);
  base::AppendLittle(to, kJournalFormatVersion);
  base::AppendLittle(to, partition.get());
  to.append(journal.data(), journal.size());
  base::AppendLittle(to, base_offset.get());
  to.resize(kHeaderSize - 4, '\0');
  base::AppendLittle(to, base::Crc32c(to));
  return to;
}

std::string IndexAndFooter(const std::vector<TopicFileBlock>& blocks, Offset next_offset, uint32_t chain, uint64_t frame_bytes) {
  std::string to;
  for (const auto& b : blocks) {
    base::AppendLittle(to, b.base_offset.get());
    base::AppendLittle(to, b.sequence.get());
    base::AppendLittle(to, b.position);
    base::AppendLittle(to, b.bytes_before);
    base::AppendLittle(to, b.chain_before);
  }
  base::AppendLittle(to, static_cast<uint64_t>(to.size()));
  base::AppendLittle(to, next_offset.get());
  base::AppendLittle(to, frame_bytes);
  base::AppendLittle(to, chain);
  base::AppendLittle(to, base::Crc32c(to));
  base::AppendLittle(to, kTopicFileMagic);
  return to;
}

Error Damaged(const Path& path, std::string_view what) {
  return Error{ErrorCode::kCorruption, "topic file '" + path + "' is damaged: " + std::string(what), "restore the file from a backup"};
}

}  // namespace

Path TopicFileDirectory(const LogPaths& paths, std::string_view topic, LogPartition partition) {
  return base::JoinPath(base::JoinPath(paths.topics, topic), std::to_string(partition.get()));
}

Result<std::shared_ptr<const TopicFile>> TopicFile::Open(io::FileSystem& files, const Path& path, const JournalId& journal) {
  std::shared_ptr<TopicFile> out(new TopicFile);
  out->path_ = path;
  ASSIGN_OR_RETURN(out->file_, files.Open(path, {io::OpenMode::kRead}));
  RETURN_IF_ERROR(out->ReadFooter(journal));
  return std::shared_ptr<const TopicFile>(std::move(out));
}

Result<void> TopicFile::ReadFooter(const JournalId& journal) {
  ASSIGN_OR_RETURN(file_bytes_, file_->Size());
  if (file_bytes_ < kHeaderSize + kFooterSize) return Damaged(path_, "too short");
  std::string header(kHeaderSize, '\0'), footer(kFooterSize, '\0');
  RETURN_IF_ERROR(file_->Read(0, header));
  RETURN_IF_ERROR(file_->Read(file_bytes_ - kFooterSize, footer));
  partition_ = LogPartition(base::GetLittle<int32_t>(header.data() + 12));
  Offset base_offset(base::GetLittle<int64_t>(header.data() + 32));
  if (base::GetLittle<uint32_t>(header.data() + 8) > kJournalFormatVersion) return Damaged(path_, "a newer format version");
  if (header != Header(journal, partition_, base_offset)) return Damaged(path_, "the header is wrong, or it belongs to another journal");

  base::ByteReader f(footer);
  uint64_t index_bytes = f.Get<uint64_t>();
  next_offset_ = Offset(f.Get<int64_t>());
  frame_bytes_ = f.Get<uint64_t>();
  chain_ = f.Get<uint32_t>();
  bool fits = index_bytes <= kIndexBytesMax && index_bytes % kIndexEntrySize == 0 && index_bytes != 0 &&
              index_bytes <= file_bytes_ - kHeaderSize - kFooterSize;
  if (!fits) return Damaged(path_, "the footer is wrong");
  index_at_ = file_bytes_ - kFooterSize - index_bytes;
  std::string index(index_bytes, '\0');
  RETURN_IF_ERROR(file_->Read(index_at_, index));
  base::ByteReader r(index);
  while (r.left() > 0) {
    TopicFileBlock b;
    b.base_offset = Offset(r.Get<int64_t>());
    b.sequence = CommitSequence(r.Get<uint64_t>());
    b.position = r.Get<uint64_t>();
    b.bytes_before = r.Get<uint64_t>();
    b.chain_before = r.Get<uint32_t>();
    blocks_.push_back(b);
  }
  if (IndexAndFooter(blocks_, next_offset_, chain_, frame_bytes_) != index + footer) return Damaged(path_, "the index is wrong");
  return {};
}

Result<std::shared_ptr<const std::string>> TopicFile::ReadBlock(size_t index) const {
  uint64_t at = blocks_[index].position, end = index + 1 < blocks_.size() ? blocks_[index + 1].position : index_at_;
  auto damaged = [&] { return Damaged(path_, "the block at byte " + std::to_string(at)); };
  if (end < at + kBlockHeaderSize || end > index_at_) return damaged();
  auto bytes = std::make_shared<std::string>(static_cast<size_t>(end - at) + kReadablePadding, '\0');
  ASSIGN_OR_RETURN(size_t got, file_->Read(at, {bytes->data(), static_cast<size_t>(end - at)}));
  size_t length = base::GetLittle<uint32_t>(bytes->data() + 4);
  if (got != end - at || length != got - kBlockHeaderSize) return damaged();
  uint32_t crc = base::GetLittle<uint32_t>(bytes->data());
  bytes->erase(0, kBlockHeaderSize);
  bytes->resize(length);  // what stood behind it stays readable: the capacity is not given back
  if (base::Crc32c(*bytes) != crc) return damaged();
  return std::shared_ptr<const std::string>(std::move(bytes));
}

Result<std::unique_ptr<TopicFileWriter>> TopicFileWriter::Create(io::FileSystem& files, const Path& directory, const JournalId& journal,
                                                                LogPartition partition, Offset base_offset) {
  std::unique_ptr<TopicFileWriter> out(new TopicFileWriter(files, journal));
  std::string digits = std::to_string(base_offset.get());
  out->directory_ = directory;
  out->path_ = base::JoinPath(directory, std::string(20 - digits.size(), '0') + digits + ".log");
  out->partition_ = partition;
  RETURN_IF_ERROR(files.CreateDirectories(directory));
  auto removed = files.Remove(out->path_ + ".new");  // left by a crash
  if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed.error();
  ASSIGN_OR_RETURN(out->file_, files.Open(out->path_ + ".new", {io::OpenMode::kCreate}));
  RETURN_IF_ERROR(out->file_->Write(0, Header(journal, partition, base_offset)));
  out->position_ = kHeaderSize;
  return out;
}

Result<void> TopicFileWriter::Add(const Frame& frame, CommitSequence sequence) {
  CHECK(blocks_.empty() || frame.base_offset >= next_offset_, "frames of a topic file out of order");
  if (block_.size() >= kBlockBytes) RETURN_IF_ERROR(WriteBlock());
  if (block_.empty()) blocks_.push_back({frame.base_offset, sequence, position_, frame_bytes_, frame.chain_before});
  size_t at = block_.size(), prefix = FramePrefixSize(frame);
  block_.resize(at + PadTo(prefix + frame.record_batch.size(), kFrameAlignment));
  EncodeFramePrefix(frame, frame.record_batch.size(), block_.data() + at);
  std::memcpy(block_.data() + at + prefix, frame.record_batch.data(), frame.record_batch.size());
  frame_bytes_ += prefix + frame.record_batch.size();
  next_offset_ = frame.next_offset;
  chain_ = frame.chain;
  return {};
}

Result<void> TopicFileWriter::WriteBlock() {
  std::string header;
  base::AppendLittle(header, base::Crc32c(block_));
  base::AppendLittle(header, static_cast<uint32_t>(block_.size()));
  RETURN_IF_ERROR(file_->Write(position_, header));
  RETURN_IF_ERROR(file_->Write(position_ + header.size(), block_));
  position_ += header.size() + block_.size();
  block_.clear();
  return {};
}

Result<std::shared_ptr<const TopicFile>> TopicFileWriter::Finish() {
  CHECK(!blocks_.empty(), "a topic file without frames");
  RETURN_IF_ERROR(WriteBlock());
  RETURN_IF_ERROR(file_->Write(position_, IndexAndFooter(blocks_, next_offset_, chain_, frame_bytes_)));
  RETURN_IF_ERROR(file_->Sync());
  RETURN_IF_ERROR(files_.Rename(path_ + ".new", path_));
  RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  return TopicFile::Open(files_, path_, journal_);
}

}  // namespace sluice::log
