// SPDX-License-Identifier: Apache-2.0
#include "log/consumer.h"

#include <algorithm>

namespace sluice::log {
namespace {

constexpr uint64_t kReadBytes = uint64_t{4} << 20;  // held in memory at once

bool IsInside(const Frame& frame, const std::map<LogPartition, OffsetRange>& ranges) {
  auto range = ranges.find(frame.partition);
  return range != ranges.end() && frame.base_offset < range->second.end && frame.next_offset > range->second.begin;
}

Result<void> ReadFeed(LogSource& source, const FeedId& feed, const std::map<LogPartition, OffsetRange>& ranges,
                      const std::function<Result<void>(const FeedId&, const Frame&)>& visit) {
  std::map<LogPartition, Offset> from;
  for (const auto& [partition, range] : ranges) from[partition] = range.begin;
  ASSIGN_OR_RETURN(auto reader, source.NewReader(feed, from));
  auto read_all = [&] {
    return std::all_of(ranges.begin(), ranges.end(), [&](const auto& r) { return reader->position().at(r.first) >= r.second.end; });
  };
  while (!read_all()) {
    ASSIGN_OR_RETURN(auto run, reader->Next(kReadBytes));
    if (run.empty()) return Error{ErrorCode::kCorruption, "frames of topic '" + feed + "' that were durable are gone", {}};
    for (const auto& frame : run.frames()) {
      if (IsInside(frame, ranges)) RETURN_IF_ERROR(visit(feed, frame));
    }
  }
  return {};
}

}  // namespace

uint64_t Slice::offsets() const {
  uint64_t n = 0;
  for (const auto& [feed, partitions] : ranges_) {
    for (const auto& [partition, range] : partitions) n += static_cast<uint64_t>(range.end - range.begin);
  }
  return n;
}

uint64_t Slice::bytes() const {
  uint64_t n = 0;
  for (const auto& [feed, partitions] : ranges_) {
    for (const auto& [partition, range] : partitions) n += range.bytes;
  }
  return n;
}

Result<void> Slice::Read(const std::function<Result<void>(const FeedId&, const Frame&)>& visit) const {
  for (const auto& [feed, ranges] : ranges_) RETURN_IF_ERROR(ReadFeed(source_, feed, ranges, visit));
  return {};
}

}  // namespace sluice::log
