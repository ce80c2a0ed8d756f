// SPDX-License-Identifier: Apache-2.0
#include "log/consumer.h"

namespace sluice::log {
namespace {

constexpr uint64_t kReadBytes = uint64_t{4} << 20;

bool ReachedEnds(const std::map<LogPartition, Offset>& at, const std::map<LogPartition, OffsetRange>& ranges) {
  for (auto& [partition, range] : ranges) {
    auto p = at.find(partition);
    if (p == at.end() || p->second < range.end) return false;
  }
  return true;
}

}  // namespace

uint64_t Slice::offsets() const {
  uint64_t sum = 0;
  for (auto& [feed, partitions] : ranges_)
    for (auto& [partition, range] : partitions) sum += static_cast<uint64_t>(range.end - range.begin);
  return sum;
}

uint64_t Slice::bytes() const {
  uint64_t sum = 0;
  for (auto& [feed, partitions] : ranges_)
    for (auto& [partition, range] : partitions) sum += range.bytes;
  return sum;
}

Result<void> Slice::Read(const std::function<Result<void>(const FeedId&, const Frame&)>& visit) const {
  for (auto& [feed, ranges] : ranges_) {
    std::map<LogPartition, Offset> from;
    for (auto& [partition, range] : ranges) from[partition] = range.begin;
    ASSIGN_OR_RETURN(auto reader, source_.NewReader(feed, from));
    while (!ReachedEnds(reader->position(), ranges)) {
      ASSIGN_OR_RETURN(auto run, reader->Next(kReadBytes));
      if (run.empty()) return Error{ErrorCode::kCorruption, "a slice of \"" + feed + "\" ends before its range", "the log was cut behind the consumer's back"};
      for (auto& frame : run.frames()) {
        auto range = ranges.find(frame.partition);
        if (range == ranges.end() || frame.base_offset >= range->second.end || frame.next_offset <= range->second.begin) continue;
        RETURN_IF_ERROR(visit(feed, frame));
      }
    }
  }
  return {};
}

}  // namespace sluice::log
