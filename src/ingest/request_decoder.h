// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The part of taking a request that needs nobody else, and so may run on any thread:
//
//   inflate ─▶ decode ─▶ strict or lenient

#include <cstddef>
#include <string_view>

#include "event/cloudevents_http.h"
#include "event/event_batch.h"
#include "event/limits.h"
#include "ingest/inflate.h"
#include "ingest/ingest_request.h"
#include "log/append_draft.h"

namespace sluice::ingest {

// Reused from request to request (it learns the order of members); one thread at a time.
class RequestDecoder {
 public:
  // REQUIRES: limits.Validate() is ok.
  explicit RequestDecoder(const event::DecodeLimits& limits);

  // Reads the request's events into batch(). Taken so far, or why not: kMalformed, kMalformedEncoding, kTooLarge, kUnsupportedType,
  // kUnsupportedEncoding, kInvalidEvents. `rejected` is counted; nothing is admitted yet.
  // batch() points into request.body until the next call.
  IngestOutcome Decode(const IngestRequest& request);
  event::EventBatch& batch() { return batch_; }
  const event::EventBatch& batch() const { return batch_; }
  // What Gate::Prepare makes of the batch.
  log::AppendDraft& draft() { return draft_; }
  const log::AppendDraft& draft() const { return draft_; }

  // Gives memory back that only an unusually large body needed. batch() and draft() are empty afterwards.
  void Trim();

 private:
  Result<std::string_view> DecodedBody(const IngestRequest& request, IngestOutcome& outcome);

  event::HttpEventDecoder decoder_;
  Inflater inflater_;
  event::EventBatch batch_;
  log::AppendDraft draft_;
};

// An outcome of a request that was not taken.
IngestOutcome Refuse(IngestStatus status, std::string message, std::string hint);

}  // namespace sluice::ingest
