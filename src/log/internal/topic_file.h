// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A topic file: frames of one log partition that outlive their journal segment, merged and unpadded. Immutable.
//
//   file   = [header 64 B] [block] [block] ... [index] [footer 40 B]
//   block  = [CRC-32C u32] [length u32] frames, about 256 KiB
//   index  = per block: base offset, commit sequence, position, bytes before, chain before
//   footer = index length, next offset, frame bytes, chain, CRC-32C of index and footer, magic
//
// Format: docs/formats/journal.md. The name is <20 digits of the base offset>.log; it appears when the file is whole.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "log/internal/journal_directory.h"
#include "log/internal/journal_format.h"

namespace sluice::log {

struct TopicFileBlock {
  Offset base_offset;        // of its first frame
  CommitSequence sequence;   // of the commit that frame was in
  uint64_t position = 0;     // of the block in the file
  uint64_t bytes_before = 0; // of frames in this file before the block
  uint32_t chain_before = 0;
};

// <root>/topics/<topic>/<partition>
Path TopicFileDirectory(const LogPaths& paths, std::string_view topic, LogPartition partition);

class TopicFile {
 public:
  // Reads header and footer. kCorruption names the file.
  static Result<std::shared_ptr<const TopicFile>> Open(io::FileSystem& files, const Path& path, const JournalId& journal);

  const Path& path() const { return path_; }
  LogPartition partition() const { return partition_; }
  Offset base_offset() const { return blocks_.front().base_offset; }
  Offset next_offset() const { return next_offset_; }
  uint32_t chain() const { return chain_; }          // up to next_offset()
  uint64_t frame_bytes() const { return frame_bytes_; }
  uint64_t file_bytes() const { return file_bytes_; }
  const std::vector<TopicFileBlock>& blocks() const { return blocks_; }

  // The frames of block `index`, with readable bytes behind them (EncodeRecordBatch). Thread-safe. kCorruption names file and position.
  Result<std::shared_ptr<const std::string>> ReadBlock(size_t index) const;

 private:
  friend class TopicFileWriter;
  TopicFile() = default;
  Result<void> ReadFooter(const JournalId& journal);

  Path path_;
  std::unique_ptr<io::File> file_;
  LogPartition partition_;
  Offset next_offset_;
  uint32_t chain_ = 0;
  uint64_t frame_bytes_ = 0, file_bytes_ = 0, index_at_ = 0;
  std::vector<TopicFileBlock> blocks_;
};

// Writes one topic file front to back. Not thread-safe. Destroyed without Finish: a file `*.new` may remain, which nobody reads.
class TopicFileWriter {
 public:
  static constexpr size_t kBlockBytes = 256 << 10;
  // Creates the partition's directory if missing.
  static Result<std::unique_ptr<TopicFileWriter>> Create(io::FileSystem& files, const Path& directory, const JournalId& journal,
                                                         LogPartition partition, Offset base_offset);
  // REQUIRES: frames follow each other.
  Result<void> Add(const Frame& frame, CommitSequence sequence);
  // Durable and visible when it returns.
  Result<std::shared_ptr<const TopicFile>> Finish();

 private:
  TopicFileWriter(io::FileSystem& files, const JournalId& journal) : files_(files), journal_(journal) {}
  Result<void> WriteBlock();

  io::FileSystem& files_;
  const JournalId journal_;
  Path directory_, path_;
  std::unique_ptr<io::File> file_;
  LogPartition partition_;
  uint64_t position_ = 0;
  std::string block_;
  std::vector<TopicFileBlock> blocks_;
  Offset next_offset_;
  uint32_t chain_ = 0;
  uint64_t frame_bytes_ = 0;
};

}  // namespace sluice::log
