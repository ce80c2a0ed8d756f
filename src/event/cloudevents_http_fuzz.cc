// SPDX-License-Identifier: Apache-2.0
//
// Requests of all content modes: lines "name: value" up to an empty one, then the body. A row goes through a RecordBatch and comes back.

#include <numeric>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "event/cloudevents_http.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_encoder.h"
#include "event/same_rows.h"
#include "event/test_bytes.h"

namespace sluice::event {
namespace {

void Run(std::string_view input) {
  std::vector<HttpHeader> headers;
  HttpEventRequest request;
  while (!input.empty()) {
    auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    if (line.empty()) break;
    auto colon = std::min(line.find(": "), line.size());
    headers.push_back({line.substr(0, colon), line.substr(std::min(line.size(), colon + 2))});
    if (headers.back().name == "content-type") request.content_type = headers.back().value;
  }
  PaddedBytes body(input);
  request.headers = headers;
  request.body = body.view();
  HttpEventDecoder decoder;
  EventBatch batch, again;
  auto outcome = decoder.Decode(request, batch);
  if (outcome.status != DecodeStatus::kOk && outcome.status != DecodeStatus::kInvalidEvents) return;
  CheckRows(batch);
  if (batch.rows() == 0) return;
  std::vector<uint32_t> rows(batch.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  std::vector<char> out(RecordBatchBound(batch, rows) + 64);
  char* end = EncodeRecordBatch(batch, rows, {}, 0, 0, out.data());
  RecordPlaces places;
  CHECK(DecodeRecordBatch({out.data(), static_cast<size_t>(end - out.data())}, again, places).ok(), "what was taken can be read from the log");
  CHECK(again.rows() == batch.rows(), "all rows come back");
  for (size_t row = 0; row < batch.rows(); row++) CheckSameRow(batch, row, again, row);
}

std::vector<std::string> Seeds() {
  std::string ce = "ce-specversion: 1.0\nce-id: a\nce-source: /s\nce-type: t\n";
  return {"content-type: application/json\n" + ce + "ce-time: 2026-01-15T10:00:00Z\nce-subject: caf%C3%A9\nce-n: \"quoted \\\" value\"\n\n{\"a\":1}",
          "content-type: text/plain; charset=utf-8\n" + ce + "\nhello", ce + "\n", "content-type: image/png\n" + ce + "ce-dataschema: urn:x\n\n\xff\xfe",
          "content-type: application/cloudevents+json\n\n" + EventWith(",\"data\":1"), "content-type: application/x-ndjson\n\n" + EventWith("") + "\n" + EventWith(""),
          "content-type: application/cloudevents-batch+json; charset=UTF-8\n\n[" + EventWith(",\"data_base64\":\"AA==\"") + "]"};
}

const base::FuzzRegistration kRegistration({"cloudevents_http", Run, Seeds});

}  // namespace
}  // namespace sluice::event
