// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A Kafka RecordBatch back to an EventBatch. Format: record_batch_format.h. Bytes may come from a disk or a network: every length
// is checked.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event_batch.h"

namespace sluice::event {

// The fixed part of a RecordBatch. Offsets are of the log partition, timestamps milliseconds.
struct RecordBatchHeader {
  size_t bytes = 0;  // of the whole RecordBatch
  int64_t base_offset = 0;
  int32_t last_offset_delta = 0;
  int64_t first_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  int16_t attributes = 0;
  uint32_t crc = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;
};

// Reads the header at the start of `bytes`, which may go on behind the RecordBatch. The CRC is not checked.
// kCorruption: too short, impossible lengths; kInvalid: a message format older than 2.
Result<RecordBatchHeader> ReadRecordBatchHeader(std::string_view bytes);

// Whether the CRC-32C fits. REQUIRES: `bytes` begins with the RecordBatch that `header` was read from.
bool HasValidCrc(const RecordBatchHeader& header, std::string_view bytes);

// Where each row stood in its RecordBatch. Not thread-safe; reused.
struct RecordPlaces {
  RecordBatchHeader header;
  std::vector<int32_t> offset_deltas;   // by row: its offset is header.base_offset + this
  std::vector<std::string_view> keys;   // by row: the record key, in the bytes; a null view: none
  std::vector<int64_t> timestamps_ms;   // by row
};

// Reads `bytes`, exactly one RecordBatch. Resets `batch`: row i is record i, its values point into `bytes`, which must outlive them.
// A value that is not UTF-8 and not marked as binary becomes kDataBinary.
// kCorruption: CRC or lengths are wrong; kInvalid: compressed or control records, or a record that is no CloudEvent in binary mode
// (the message names the record). After an error `batch` and `places` hold nothing to use.
// REQUIRES: 64 readable bytes behind `bytes`, if the rows are encoded again.
Result<void> DecodeRecordBatch(std::string_view bytes, EventBatch& batch, RecordPlaces& places);

}  // namespace sluice::event
