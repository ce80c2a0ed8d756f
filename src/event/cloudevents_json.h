// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// CloudEvents in the JSON format (version 1.0.2): one event, a batch array, or one event per line (NDJSON).
//
// One pass of simdjson finds the structure, one walk reads the events; values are slices of the body. Everything is validated,
// `data` included: it is kept byte for byte and must be read by every engine behind.
//   - JSON `data` under a content type that is not JSON: a JSON string becomes its text, anything else stays JSON text.
//   - `data_base64` becomes kDataBinary, always, whatever the content type.
//   - null: absent, except `data`, where it is the JSON value null.
//   - A lone surrogate is malformed, in `data` too: no UTF-8 can say it.

#include <memory>
#include <string_view>

#include "event/decode_outcome.h"
#include "event/event_batch.h"
#include "event/limits.h"

namespace sluice::event {

// Reused from request to request (it learns the order of members); not thread-safe: one per thread.
//
// Each Decode resets `batch`; its rows point into `body`, which must outlive their use. Outcomes: kOk, kMalformed with the byte
// position, kTooLarge (body or number of events; a structured event sent alone), kInvalidEvents.
// REQUIRES: 64 readable bytes behind `body`, of any content.
class JsonEventDecoder {
 public:
  // REQUIRES: limits.Validate() is ok.
  explicit JsonEventDecoder(DecodeLimits limits = {});
  ~JsonEventDecoder();
  JsonEventDecoder(JsonEventDecoder&&) noexcept;
  JsonEventDecoder& operator=(JsonEventDecoder&&) noexcept;

  // One JSON object.
  DecodeOutcome DecodeStructured(std::string_view body, EventBatch& batch);
  // A JSON array of events; it may be empty. An array that is not JSON is refused whole.
  DecodeOutcome DecodeBatch(std::string_view body, EventBatch& batch);
  // One event per line; blank lines are not counted. A line that is not JSON is a rejected event, the other lines stand.
  DecodeOutcome DecodeNdjson(std::string_view body, EventBatch& batch);

  // Whether `text` is one JSON value, within the limits of depth and names. kMalformed: why not, and at which byte.
  // REQUIRES: as for a body.
  DecodeOutcome CheckJson(std::string_view text);

  const DecodeLimits& limits() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::event
