// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The bytes of the journal, format version 1. The same in words: docs/formats/journal.md.
//
//   segment = [segment header 4 KiB] [commit] [commit] ... [zeros, or older bytes when the file was recycled]
//   commit  = [commit header 80 B] [frame] [frame] ... padded with zeros to 4 KiB; no frame: an idle mark
//   frame   = [frame header 72 B] topic tenant producer late_bits RecordBatch, padded with zeros to 8 B
//
// All integers are little-endian (a RecordBatch keeps Kafka's big-endian).

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "log/frame.h"

namespace sluice::log {

inline constexpr uint32_t kJournalFormatVersion = 1;
inline constexpr size_t kBlock = 4096;  // commits start at multiples of it; what a disk writes at once
inline constexpr size_t kSegmentHeaderSize = 64;
inline constexpr size_t kCommitHeaderSize = 80;
inline constexpr size_t kFrameHeaderSize = 72;
inline constexpr size_t kFrameAlignment = 8;

constexpr uint64_t PadTo(uint64_t n, uint64_t unit) { return (n + unit - 1) / unit * unit; }

// Random, and told to nobody who may write events: an image of a commit in a payload cannot name it.
using JournalId = std::array<char, 16>;
std::string JournalIdText(const JournalId& id);
std::optional<JournalId> ParseJournalId(std::string_view hex);

using SegmentNumber = NamedInt<struct SegmentNumberTag, uint64_t>;  // from 1, without gaps

struct SegmentHeader {
  uint32_t format_version = kJournalFormatVersion;
  bool recycled = false;  // the file was another segment before: bytes behind the last commit mean nothing
  JournalId journal_id{};
  SegmentNumber number;
  uint64_t segment_bytes = 0;  // size of the file
  Timestamp created;
};

struct CommitHeader {
  uint32_t format_version = kJournalFormatVersion;
  uint32_t frame_count = 0;
  JournalId journal_id{};
  SegmentNumber segment;
  uint64_t position = 0;  // of this header in the segment
  CommitSequence sequence;
  Timestamp time;
  uint32_t length = 0;  // header and frames, without the padding at the end
  uint32_t body_crc = 0;

  uint64_t padded_length() const { return PadTo(length, kBlock); }
};

enum class HeaderState : uint8_t {
  kValid,
  kOtherVersion,  // checksum and magic are right, the format version is not ours
  kNone,          // no such header, or a damaged one
};

// Writes kSegmentHeaderSize bytes.
void EncodeSegmentHeader(const SegmentHeader& header, char* to);
// Reads from at least kSegmentHeaderSize bytes (fewer: kNone). On kOtherVersion only format_version is set.
HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader& header);

// Writes kCommitHeaderSize bytes.
void EncodeCommitHeader(const CommitHeader& header, char* to);
HeaderState DecodeCommitHeader(std::string_view bytes, CommitHeader& header);
// Whether `bytes` begin with the magic of a commit, whatever comes behind.
bool HasCommitMagic(std::string_view bytes);

// The size of everything of a frame before its RecordBatch.
size_t FramePrefixSize(const Frame& frame);
// Writes the prefix of a frame whose RecordBatch of `batch_size` bytes stands (or will stand) at to + FramePrefixSize(frame), and
// zeros up to the alignment behind it. Returns the padded size of the whole frame. frame.record_batch is not looked at.
size_t EncodeFramePrefix(const Frame& frame, size_t batch_size, char* to);

// Walks the frames of a commit body or of a topic file's block. The bytes were checked against a checksum before; a frame that
// does not fit is still an error, not undefined behaviour.
class FrameCursor {
 public:
  explicit FrameCursor(std::string_view body) : body_(body) {}
  // False: no further frame, or damaged() from now on.
  bool Next(Frame& frame);
  bool damaged() const { return damaged_; }
  size_t position() const { return at_; }

 private:
  std::string_view body_;
  size_t at_ = 0;
  bool damaged_ = false;
};

// The CRC chain of a log partition behind a frame: of the chain before it, its place and the checksum of its RecordBatch (which
// covers every record).
uint32_t ExtendChain(uint32_t chain_before, Offset base_offset, Offset next_offset, std::string_view record_batch);

// "journal/00000000000000000007.segment" and back.
std::string SegmentFileName(SegmentNumber number);
std::optional<SegmentNumber> ParseSegmentFileName(std::string_view name);

}  // namespace sluice::log
