// SPDX-License-Identifier: Apache-2.0
#include "table/frame_rows.h"

#include <algorithm>
#include <string>
#include <vector>

#include "event/record_batch_decoder.h"

namespace sluice::table {
namespace {

// The late verdicts of rows [first, first + n) of a frame, a byte each.
std::vector<uint8_t> LateBytes(const log::Frame& frame, size_t first, size_t n) {
  std::vector<uint8_t> out(n);
  for (size_t i = 0; i < n; i++) out[i] = frame.late(static_cast<uint32_t>(first + i)) ? 1 : 0;
  return out;
}

}  // namespace

Result<uint64_t> AppendFrame(HotTail& hot, const log::Frame& frame, log::Offset from, event::EventBatch& scratch) {
  if (frame.kind != log::FrameKind::kEvents || frame.next_offset <= from) return uint64_t{0};
  uint64_t loaded = 0;
  event::RecordPlaces places;
  RETURN_IF_ERROR(event::DecodeRecordBatch(frame.record_batch, scratch, places));
  const Principal principal{std::string(frame.tenant), std::string(frame.producer)};
  std::vector<uint32_t> rows;
  // Runs of rows without gaps between their offsets.
  for (size_t first = 0; first < scratch.rows();) {
    const log::Offset base = frame.base_offset + places.offset_deltas[first];
    size_t n = 1;
    while (first + n < scratch.rows() && places.offset_deltas[first + n] == places.offset_deltas[first] + static_cast<int32_t>(n)) n++;
    size_t skip = base < from ? std::min(n, static_cast<size_t>(from - base)) : 0;
    if (skip < n) {
      rows.resize(n - skip);
      for (size_t i = 0; i < rows.size(); i++) rows[i] = static_cast<uint32_t>(first + skip + i);
      const auto late = LateBytes(frame, first + skip, rows.size());
      RETURN_IF_ERROR(hot.Append(
          {scratch, rows, late, frame.partition, base + static_cast<int64_t>(skip), frame.append_time, principal, frame.payload_schema_id},
          kAlreadyDurable));
      loaded += rows.size();
    }
    first += n;
  }
  return loaded;
}

}  // namespace sluice::table
