// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_recovery.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "log/internal/journal_reader.h"

namespace sluice::log {
namespace {

constexpr size_t kScanStep = size_t{1} << 20;

std::string At(const Path& path, uint64_t position) { return "'" + path + "' at byte " + std::to_string(position); }

bool IsZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

class Scanner {
 public:
  Scanner(io::FileSystem& files, const LogPaths& paths, const JournalId& id, const ScanExpectation& expectation, const CommitVisitor& visit,
          ReadAhead* ahead)
      : files_(files), paths_(paths), id_(id), expectation_(expectation), visit_(visit), ahead_(ahead) {}

  Result<JournalScan> Run() {
    RETURN_IF_ERROR(OpenSegments());
    for (size_t i = 0;;) {
      ASSIGN_OR_RETURN(CommitRead bad, ReadSegment(i));
      ASSIGN_OR_RETURN(auto next, FindContinuation(i));
      if (!next) {
        if (!scan_.torn) RETURN_IF_ERROR(FindTornTail(i, bad));
        break;
      }
      i = *next;
    }
    RETURN_IF_ERROR(CheckReach());
    return std::move(scan_);
  }

 private:
  Path Segment(size_t i) const { return paths_.segment(scan_.segments[i].number); }

  Result<void> OpenSegments() {
    ASSIGN_OR_RETURN(auto numbers, ListSegments(files_, paths_));
    CHECK(!numbers.empty(), "a journal without segments");
    if (numbers.front() > expectation_.first_segment) {
      return Error{ErrorCode::kCorruption, "journal segment '" + paths_.segment(expectation_.first_segment) + "' is missing",
                   "put the file back; its events are in no other place"};
    }
    for (auto number : numbers) RETURN_IF_ERROR(OpenSegment(number));
    return {};
  }

  Result<void> OpenSegment(SegmentNumber number) {
    Path path = paths_.segment(number);
    ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(files_, path, ahead_));
    ASSIGN_OR_RETURN(auto bytes, reader.Read(0, kSegmentHeaderSize));
    SegmentHeader header;
    auto state = DecodeSegmentHeader(bytes, header);
    if (state == HeaderState::kOtherVersion) return NewerVersion(path, header.format_version);
    if (state == HeaderState::kNone) {
      return Error{ErrorCode::kCorruption, "journal segment '" + path + "' has a damaged header", "restore the file from a backup"};
    }
    if (header.journal_id != id_) {
      return Error{
          ErrorCode::kCorruption,
          "journal segment '" + path + "' belongs to journal " + JournalIdText(header.journal_id) + ", not to " + JournalIdText(id_),
          "move the foreign file away and put the right one back"};
    }
    if (header.number != number) {
      return Error{ErrorCode::kCorruption, "journal segment '" + path + "' holds segment " + std::to_string(header.number.get()),
                   "segment files were renamed or copied over each other; give each its own name back"};
    }
    if (reader.size() != header.segment_bytes) {
      return Error{ErrorCode::kCorruption,
                   "journal segment '" + path + "' has " + std::to_string(reader.size()) + " bytes, it was made with " +
                       std::to_string(header.segment_bytes),
                   "no crash of ours changes a segment's size: restore the file from a backup; to give up what "
                   "was cut off, `truncate -s " +
                       std::to_string(header.segment_bytes) + "` it"};
    }
    readers_.push_back(std::move(reader));
    scan_.segments.push_back({number, header.segment_bytes, header.recycled, kBlock, CommitSequence(), CommitSequence()});
    return {};
  }

  static Error NewerVersion(const Path& path, uint32_t version) {
    return Error{ErrorCode::kInvalid,
                 "journal segment '" + path + "' has format version " + std::to_string(version) + ", this program knows " +
                     std::to_string(kJournalFormatVersion),
                 "use the version of Sluice that wrote it, or a newer one"};
  }

  // Visits the valid commits of a segment; answers what was read behind the last one.
  Result<CommitRead> ReadSegment(size_t i) {
    auto& segment = scan_.segments[i];
    for (;;) {
      if (segment.end >= segment.file_bytes) return CommitRead{};
      ASSIGN_OR_RETURN(auto read, readers_[i].ReadCommit(id_, segment.number, segment.end));
      if (read.state == CommitState::kOtherVersion) return NewerVersion(Segment(i), read.header.format_version);
      if (read.state == CommitState::kValid || read.state == CommitState::kBadBody) RETURN_IF_ERROR(CheckSequence(i, read.header));
      if (read.state != CommitState::kValid) return read;
      RETURN_IF_ERROR(visit_(read.header, read.body));
      if (segment.first == CommitSequence()) segment.first = read.header.sequence;
      segment.last = scan_.last = read.header.sequence;
      segment.end += read.header.padded_length();
      scan_.newest = i;
      scan_.last_time = read.header.time;
      scan_.ends_idle = read.header.frame_count == 0;
    }
  }

  Result<void> CheckSequence(size_t i, const CommitHeader& header) {
    bool first = scan_.last == CommitSequence();
    bool right = first ? header.sequence.get() <= expectation_.covered.get() + 1 : header.sequence == scan_.last + 1;
    if (right) return {};
    std::string wanted = first ? "at most " + std::to_string(expectation_.covered.get() + 1) : std::to_string(scan_.last.get() + 1);
    return Error{ErrorCode::kCorruption,
                 "the journal commit in " + At(Segment(i), header.position) + " has sequence " + std::to_string(header.sequence.get()) +
                     ", it must have " + wanted,
                 "commits are missing before it: restore the journal from a backup"};
  }

  bool IsNext(CommitSequence sequence) const { return scan_.last == CommitSequence() || sequence == scan_.last + 1; }

  // The segment in which the journal went on when segment i was full: nothing when it ends in i. A valid header anywhere else behind
  // the end proves that the commit at the end had been durable (only one write is in flight): damage.
  Result<std::optional<size_t>> FindContinuation(size_t i) {
    if (i + 1 < scan_.segments.size()) {
      HandMemory(i, i + 1);
      ASSIGN_OR_RETURN(auto read, readers_[i + 1].ReadCommit(id_, scan_.segments[i + 1].number, kBlock));
      if (read.state == CommitState::kValid && IsNext(read.header.sequence)) return i + 1;
      HandMemory(i + 1, i);
    }
    for (size_t j = i; j < scan_.segments.size(); j++) {
      const auto& segment = scan_.segments[j];
      if (j > i) HandMemory(j - 1, j);
      for (uint64_t at = j == i ? segment.end + kBlock : kBlock; at < segment.file_bytes; at += kBlock) {
        ASSIGN_OR_RETURN(auto bytes, readers_[j].Read(at, kCommitHeaderSize));
        CommitHeader header;
        bool later = DecodeCommitHeader(bytes, header) == HeaderState::kValid && header.journal_id == id_ &&
                     header.segment == segment.number && header.position == at && header.sequence > scan_.last;
        if (!later) continue;
        if (j == i || at != kBlock || !IsNext(header.sequence)) return Damaged(i, j, header);
        ASSIGN_OR_RETURN(auto read, readers_[j].ReadCommit(id_, segment.number, at));
        if (read.state == CommitState::kValid) {  // behind a segment whose first commit was torn
          scan_.torn.reset();
          return j;
        }
        scan_.torn = TornTail{segment.number, at, std::min(at + header.padded_length(), segment.file_bytes)};
      }
    }
    HandMemory(scan_.segments.size() - 1, i);
    return std::optional<size_t>();
  }

  // One is read at a time.
  void HandMemory(size_t from, size_t to) {
    if (from != to) readers_[from].HandMemoryTo(readers_[to]);
  }

  Error Damaged(size_t i, size_t j, const CommitHeader& later) const {
    return Error{ErrorCode::kCorruption,
                 "the journal is damaged in " + At(Segment(i), scan_.segments[i].end) + ": commit " + std::to_string(later.sequence.get()) +
                     " in " + At(Segment(j), later.position) + " is behind it",
                 "nothing was changed; restore the file from a backup, or look at it with `sluice check`"};
  }

  // What a write that was never acknowledged may have left. In a recycled file it can be told from older bytes by its header only.
  Result<void> FindTornTail(size_t i, const CommitRead& bad) {
    const auto& segment = scan_.segments[i];
    uint64_t end = segment.end;
    if (bad.state == CommitState::kBadBody) {
      end = std::min(segment.end + bad.header.padded_length(), segment.file_bytes);
    } else {
      ASSIGN_OR_RETURN(auto block, readers_[i].Read(segment.end, kBlock));
      bool looks_torn = !segment.recycled || (bad.state == CommitState::kNone && HasCommitMagic(block));
      if (looks_torn) { ASSIGN_OR_RETURN(end, EndOfBytes(i)); }
    }
    if (end > segment.end) scan_.torn = TornTail{segment.number, segment.end, end};
    return {};
  }

  // Behind the last block that holds anything.
  Result<uint64_t> EndOfBytes(size_t i) {
    const auto& segment = scan_.segments[i];
    uint64_t end = segment.end;
    for (uint64_t at = segment.end; at < segment.file_bytes; at += kBlock) {
      ASSIGN_OR_RETURN(auto block, readers_[i].Read(at, kBlock));
      if (!IsZero(block)) end = at + kBlock;
    }
    return end;
  }

  Result<void> CheckReach() const {
    if (scan_.last >= expectation_.covered) return {};
    return Error{ErrorCode::kCorruption,
                 "the journal in '" + paths_.journal + "' ends at commit " + std::to_string(scan_.last.get()) + ", a checkpoint covers " +
                     std::to_string(expectation_.covered.get()),
                 "newer segments are missing: restore them from a backup"};
  }

  io::FileSystem& files_;
  const LogPaths& paths_;
  const JournalId& id_;
  const ScanExpectation& expectation_;
  const CommitVisitor& visit_;
  ReadAhead* const ahead_;
  std::vector<SegmentReader> readers_;
  JournalScan scan_;
};

}  // namespace

Result<JournalScan> ScanJournal(io::FileSystem& files, const LogPaths& paths, const JournalId& id, const ScanExpectation& expectation,
                                const CommitVisitor& visit, ReadAhead* ahead) {
  return Scanner(files, paths, id, expectation, visit, ahead).Run();
}

size_t JournalScan::active() const {
  if (!torn) return newest;
  return static_cast<size_t>(torn->segment - segments.front().number) + 1;
}

namespace {

// A name that is not taken: a crash while zeroing must not replace the first, whole copy.
Result<Path> NewQuarantinePath(io::FileSystem& files, const LogPaths& paths, const TornTail& torn) {
  Path stem = base::JoinPath(paths.quarantine, SegmentFileName(torn.segment) + "-" + std::to_string(torn.position));
  for (int copy = 1;; copy++) {
    Path path = stem + (copy == 1 ? "" : "-" + std::to_string(copy)) + ".bytes";
    ASSIGN_OR_RETURN(bool taken, io::Exists(files, path));
    if (!taken) return path;
  }
}

}  // namespace

Result<Path> CutTornTail(io::FileSystem& files, const LogPaths& paths, const TornTail& torn) {
  Path segment = paths.segment(torn.segment);
  ASSIGN_OR_RETURN(auto file, files.Open(segment, {io::OpenMode::kReadWrite}));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  std::string tail(static_cast<size_t>(torn.end - torn.position), '\0');
  ASSIGN_OR_RETURN(size_t got, file->Read(torn.position, tail));
  tail.resize(got);
  RETURN_IF_ERROR(files.CreateDirectories(paths.quarantine));
  ASSIGN_OR_RETURN(Path copy, NewQuarantinePath(files, paths, torn));
  RETURN_IF_ERROR(io::WriteFileAtomically(files, copy, tail));
  std::string zeros(kScanStep, '\0');
  for (uint64_t at = torn.position; at < size; at += zeros.size()) {
    RETURN_IF_ERROR(file->Write(at, std::string_view(zeros).substr(0, static_cast<size_t>(std::min<uint64_t>(zeros.size(), size - at)))));
  }
  RETURN_IF_ERROR(file->Sync());
  return copy;
}

}  // namespace sluice::log
