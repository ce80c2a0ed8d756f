// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Copies the frames of a segment that must stay into topic files, so that the segment can be recycled.

#include <map>
#include <string>
#include <vector>

#include "log/internal/log_view.h"

namespace sluice::log {

struct CopyOutRequest {
  JournalId journal_id{};
  SegmentNumber segment;
  CommitSequence first, last;  // the segment's commits
  // Frames that end at or before this offset go: they are in the table, or in a topic file already.
  std::map<std::string, std::map<LogPartition, Offset>, std::less<>> drop_before;
};

// One file per log partition that has such frames, durable. kCorruption: the segment cannot be read; it must not be recycled.
// Repeated after an error: files made before are written again.
Result<std::vector<LogView::CopiedPartition>> CopyOut(io::FileSystem& files, const LogPaths& paths, const CopyOutRequest& request);

}  // namespace sluice::log
