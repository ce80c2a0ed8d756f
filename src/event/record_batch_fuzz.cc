// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer target: the RecordBatch decoder. The CRC is set right, so that the fuzzer gets behind it; what is decoded is encoded again.
// Build: clang++ -fsanitize=fuzzer,address,undefined

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_encoder.h"
#include "event/record_batch_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  using namespace sluice::event;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= kRecordBatchHeaderBytes) {
    base::PutBig<int32_t>(bytes.data() + kLengthAt, static_cast<int32_t>(size - kRecordBatchLengthBytes));
    base::PutBig<uint32_t>(bytes.data() + kCrcAt, base::Crc32c(bytes.data() + kAttributesAt, size - kAttributesAt));
  }
  bytes.append(64, '\0');
  EventBatch batch;
  RecordPlaces places;
  if (!DecodeRecordBatch({bytes.data(), size}, batch, places).ok()) return 0;
  CHECK(batch.rows() == places.offset_deltas.size(), "a place for each row");
  std::vector<uint32_t> rows(batch.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  std::vector<char> out(RecordBatchBound(batch, rows) + 64);
  char* end = EncodeRecordBatch(batch, rows, {}, 0, 0, out.data());
  CHECK(end <= out.data() + out.size() - 64, "the bound holds");
  return 0;
}
