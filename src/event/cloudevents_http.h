// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// CloudEvents in HTTP requests (HTTP protocol binding 1.0.2). The content mode is found in this order:
//
//   application/cloudevents-batch+json   batch
//   application/cloudevents+json         structured
//   application/x-ndjson                 one structured event per line
//   any ce-* header                      binary: attributes in headers, data in the body, Content-Type = datacontenttype
//   anything else                        415

#include <span>
#include <string_view>

#include "event/cloudevents_json.h"
#include "event/decode_outcome.h"
#include "event/event_batch.h"
#include "event/limits.h"

namespace sluice::event {

struct HttpHeader {
  std::string_view name, value;  // as received; names in any case
};

struct HttpEventRequest {
  std::string_view content_type;  // empty: none
  std::span<const HttpHeader> headers;
  std::string_view body;  // after Content-Encoding was undone
};

// Reused from request to request; not thread-safe: one per thread.
class HttpEventDecoder {
 public:
  // REQUIRES: limits.Validate() is ok.
  explicit HttpEventDecoder(DecodeLimits limits = {}) : json_(limits) {}

  // Resets `batch`; its rows point into request.body, which must outlive their use (header values are copied). Outcomes: all.
  // In binary mode
  //   - header values are unquoted, then percent-decoded exactly once; a broken triplet or what is not UTF-8 is malformed;
  //   - a body under a JSON content type must be JSON (else malformed); another body is kData when it is UTF-8, else kDataBinary;
  //   - an empty body is no data.
  // REQUIRES: 64 readable bytes behind request.body, of any content.
  DecodeOutcome Decode(const HttpEventRequest& request, EventBatch& batch);

 private:
  DecodeOutcome DecodeBinary(const HttpEventRequest& request, EventBatch& batch);
  JsonEventDecoder json_;
};

}  // namespace sluice::event
