// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A frame: one Kafka RecordBatch of one log partition, and what must be the same whenever it is read again. It is what a
// journal commit holds, what a topic file holds, and what a reader gets. Bytes: docs/formats/journal.md.

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "log/types.h"

namespace sluice::log {

enum class FrameKind : uint16_t {
  kEvents = 1,  // the records are events, CloudEvents Kafka binding (binary mode)
  kState = 2,   // the records are entries of a state topic: newest value per key
};

// A view: everything points into the buffer it was read from, which whoever gave the frame keeps alive.
struct Frame {
  FrameKind kind = FrameKind::kEvents;
  std::string_view topic;
  LogPartition partition;
  Offset base_offset;             // of the first row
  Offset next_offset;             // behind the last row: the frame is [base_offset, next_offset), gaps are legal
  uint32_t rows = 0;
  Timestamp append_time;          // one for all rows, never smaller than that of an earlier frame
  Timestamp event_time_max;       // largest event time of the log partition up to and with this frame, as the watermark counts it
  uint32_t chain_before = 0;      // CRC chain of the log partition up to base_offset ...
  uint32_t chain = 0;             // ... and up to next_offset
  uint32_t policy_version = 0;
  int32_t payload_schema_id = 0;  // 0: none
  std::string_view tenant;
  std::string_view producer;      // empty: none
  std::string_view late_bits;     // bit i % 8 of byte i / 8 = row i came late; empty: none did
  std::string_view record_batch;  // RecordBatch v2 (event/record_batch.h); its base offset is base_offset

  bool late(uint32_t row) const {
    return !late_bits.empty() && (static_cast<unsigned char>(late_bits[row / 8]) >> (row % 8) & 1) != 0;
  }
};

}  // namespace sluice::log
