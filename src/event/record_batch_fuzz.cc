// SPDX-License-Identifier: Apache-2.0
//
// The RecordBatch decoder. Length and CRC are set right, so that damage gets behind them; what is decoded is encoded again and must read
// the same.

#include <numeric>

#include "base/bytes.h"
#include "base/check.h"
#include "base/fuzz_target.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_encoder.h"
#include "event/record_batch_format.h"
#include "event/same_rows.h"
#include "event/cloudevents_json.h"
#include "event/test_bytes.h"

namespace sluice::event {
namespace {

std::string Encode(const EventBatch& batch) {
  std::vector<uint32_t> rows(batch.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  std::string out(RecordBatchBound(batch, rows) + 64, '\0');
  char* end = EncodeRecordBatch(batch, rows, {}, 0, 0, out.data());
  CHECK(end <= out.data() + out.size() - 64, "the bound holds");
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

void Run(std::string_view input) {
  std::string bytes(input);
  if (bytes.size() >= kRecordBatchHeaderBytes) {
    base::PutBig<int32_t>(bytes.data() + kLengthAt, static_cast<int32_t>(bytes.size() - kRecordBatchLengthBytes));
    base::PutBig<uint32_t>(bytes.data() + kCrcAt, base::Crc32c(bytes.data() + kAttributesAt, bytes.size() - kAttributesAt));
  }
  PaddedBytes padded(bytes, '\0');
  EventBatch batch, again;
  RecordPlaces places, places_again;
  if (!DecodeRecordBatch(padded.view(), batch, places).ok()) return;
  CHECK(batch.rows() == places.offset_deltas.size() && batch.rows() == places.timestamps_ms.size(), "a place for each row");
  CheckRows(batch);
  if (batch.rows() == 0) return;
  PaddedBytes written(Encode(batch), '\0');
  CHECK(DecodeRecordBatch(written.view(), again, places_again).ok(), "what was read can be written");
  CHECK(again.rows() == batch.rows(), "all rows come back");
  for (size_t row = 0; row < batch.rows(); row++) CheckSameRow(batch, row, again, row);
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::string_view more : {"", R"(,"data":{"a":1},"n":1)", R"(,"time":"2026-01-15T10:00:00.123456Z","subject":"s","partitionkey":"p")", R"(,"data_base64":"AAEC","dataschema":"urn:x")"}) {
    for (size_t rows : {1, 2}) {
      PaddedBytes body("[" + EventWith(more) + (rows == 2 ? "," + EventWith(more) : "") + "]");
      JsonEventDecoder decoder;
      EventBatch batch;
      CHECK(decoder.DecodeBatch(body.view(), batch).ok(), "a seed is valid");
      seeds.push_back(Encode(batch));
    }
  }
  return seeds;
}

const base::FuzzRegistration kRegistration({"record_batch", Run, Seeds});

}  // namespace
}  // namespace sluice::event
