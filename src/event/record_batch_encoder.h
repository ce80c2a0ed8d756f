// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Rows of an EventBatch as one Kafka RecordBatch: what the journal, topic files and Kafka clients hold. Format: record_batch_format.h.

#include <cstdint>
#include <span>
#include <string_view>

#include "event/event_batch.h"

namespace sluice::event {

// The functions are pure. `rows`: row numbers of `batch`, any selection, in the order they get offsets in; at least one.
// `keys`: the record key of each of them (a null view: no key), or empty: none has one.

// How many bytes EncodeRecordBatch writes at most; a little more than it does.
size_t RecordBatchBound(const EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys = {});

// Writes one RecordBatch with offsets base_offset, base_offset + 1, ... and returns its end.
// `append_time_us` is the timestamp of events without a time.
// REQUIRES: RecordBatchBound(...) + 64 writable bytes at `out` (values are copied in vectors); 64 readable bytes behind each key; the
// result below 2 GiB.
char* EncodeRecordBatch(const EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys, int64_t base_offset,
                        int64_t append_time_us, char* out);

// The same, at `at` of `bytes`; and moves the values of these rows to their records, where they are warm for whoever reads them next.
// Once all rows are encoded: batch.FinishMove(bytes).
char* EncodeAndMove(EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys, int64_t base_offset,
                    int64_t append_time_us, char* bytes, size_t at);

// Gives an encoded RecordBatch another base offset. Its CRC does not cover that field.
void SetBaseOffset(char* record_batch, int64_t base_offset);

}  // namespace sluice::event
