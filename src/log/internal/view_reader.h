// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads one topic over all places its frames can be in. The view decides under its lock what comes next; the reading happens here,
// without it. A segment may be recycled meanwhile: every commit read from disk is checked against the place it must name.

#include <map>
#include <optional>
#include <string>

#include "log/internal/journal_reader.h"
#include "log/internal/log_view.h"

namespace sluice::log {

class ViewReader final : public LogReader {
 public:
  // REQUIRES: topic and partitions exist in `view`, which outlives this.
  ViewReader(const LogView& view, std::string topic, std::map<LogPartition, Offset> from)
      : view_(view), topic_(std::move(topic)), position_(std::move(from)) {}
  Result<FrameRun> Next(uint64_t bytes_max) override;
  const std::map<LogPartition, Offset>& position() const override { return position_; }

 private:
  Result<void> ReadBlock(const ReadStep& step, FrameRun& run);
  Result<void> ReadSegment(const ReadStep& step, FrameRun& run);
  // Takes the frames of a commit that are wanted; true when there was one.
  bool Take(std::string_view body, FrameRun& run);
  void Advance(const CommitHeader& header);

  const LogView& view_;
  const std::string topic_;
  std::map<LogPartition, Offset> position_;
  CommitCursor cursor_;
  struct OpenSegment { SegmentNumber number; SegmentReader reader; };
  std::optional<OpenSegment> segment_;
};

}  // namespace sluice::log
