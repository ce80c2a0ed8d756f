// SPDX-License-Identifier: Apache-2.0
#include "log/internal/view_reader.h"

#include <cstring>

namespace sluice::log {
namespace {

constexpr size_t kReadablePadding = 64;  // EncodeRecordBatch reads in vectors

std::shared_ptr<const std::string> CopyOf(std::string_view bytes) {
  auto copy = std::make_shared<std::string>();
  copy->reserve(bytes.size() + kReadablePadding);
  copy->append(bytes);
  return copy;
}

}  // namespace

Result<FrameRun> ViewReader::Next(uint64_t bytes_max) {
  FrameRun run;
  while (run.empty() || run.bytes() < bytes_max) {
    ReadStep step = view_.PlanStep(topic_, position_, cursor_);
    switch (step.kind) {
      case ReadStep::Kind::kNothing: return run;
      case ReadStep::Kind::kFileBlock: RETURN_IF_ERROR(ReadBlock(step, run)); break;
      case ReadStep::Kind::kMemory:
        if (Take(step.body, run)) run.Pin(std::move(step.memory));
        Advance(step.header);
        break;
      case ReadStep::Kind::kSegment: RETURN_IF_ERROR(ReadSegment(step, run)); break;
    }
  }
  return run;
}

bool ViewReader::Take(std::string_view body, FrameRun& run) {
  bool taken = false;
  Frame frame;
  for (FrameCursor cursor(body); cursor.Next(frame);) {
    if (frame.kind != FrameKind::kEvents || frame.topic != topic_) continue;
    auto at = position_.find(frame.partition);
    if (at == position_.end() || frame.next_offset <= at->second) continue;
    run.Add(frame);
    at->second = frame.next_offset;
    taken = true;
  }
  return taken;
}

void ViewReader::Advance(const CommitHeader& header) {
  cursor_ = {header.sequence + 1, true, header.segment, header.position + header.padded_length()};
}

Result<void> ViewReader::ReadBlock(const ReadStep& step, FrameRun& run) {
  ASSIGN_OR_RETURN(auto block, step.file->ReadBlock(step.block));
  if (!Take(*block, run)) {
    // The last frame of the block ends before the position: a gap between frames. The next entry begins behind it.
    bool last = step.block + 1 == step.file->blocks().size();
    position_[step.partition] = last ? step.file->next_offset() : step.file->blocks()[step.block + 1].base_offset;
    return {};
  }
  run.Pin(std::move(block));
  cursor_ = {};
  return {};
}

Result<void> ViewReader::ReadSegment(const ReadStep& step, FrameRun& run) {
  const auto& at = step.cursor;
  const bool reads_anew = !segment_ || segment_->number != at.segment;
  if (reads_anew) {
    segment_.reset();
    auto reader = SegmentReader::Open(view_.files(), view_.paths().segment(at.segment));
    if (!reader.ok()) {
      if (view_.HasSegment(at.segment)) return reader.error();
      cursor_ = {};  // recycled meanwhile: its frames are in topic files now
      return {};
    }
    segment_.emplace(OpenSegment{at.segment, std::move(reader).value()});
  }
  ASSIGN_OR_RETURN(auto read, segment_->reader.ReadCommit(view_.journal(), at.segment, at.position));
  if (read.state != CommitState::kValid || read.header.sequence != at.sequence) {
    segment_.reset();
    if (!reads_anew) return {};  // what was read ahead may be older than the commit: once more
    if (!view_.HasSegment(at.segment)) {
      cursor_ = {};
      return {};
    }
    return Error{ErrorCode::kCorruption,
                 "journal commit " + std::to_string(at.sequence.get()) + " in '" + view_.paths().segment(at.segment) + "' at byte " +
                     std::to_string(at.position) + " is not what was written",
                 "restore the file from a backup"};
  }
  // The reader's window is reused: frames that are kept need memory of their own.
  FrameRun found;
  auto before = position_;
  if (Take(read.body, found)) {
    auto copy = CopyOf(read.body);
    position_ = std::move(before);
    Take(*copy, run);
    run.Pin(std::move(copy));
  }
  Advance(read.header);
  return {};
}

}  // namespace sluice::log
