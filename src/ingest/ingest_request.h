// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What a front end gives the gate, and what became of it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/principal.h"
#include "event/cloudevents_http.h"
#include "log/types.h"

namespace sluice::ingest {

struct IngestRequest {
  std::string_view content_type;
  std::string_view content_encoding;
  std::span<const event::HttpHeader> headers;
  std::string_view body;   // 64 readable bytes behind it
  std::string_view topic;  // where all events go; empty: each is routed by its type
  bool lenient = false;    // take the good events and report the others
  const Principal* principal = nullptr;
};

enum class IngestStatus : uint8_t {
  kTaken,                // 200 once durable
  kMalformed,            // 400
  kMalformedEncoding,    // 400: it cannot be decompressed
  kTooLarge,             // 413
  kUnsupportedType,      // 415
  kUnsupportedEncoding,  // 415
  kInvalidEvents,        // 422: nothing was taken; Gate::rejected() lists
  kInvalidTopic,         // 400
  kBusy,                 // 503 with Retry-After: nothing was taken, try again
  kTopicQuota,           // the same: the topic's table does not keep up
  kDiskFull,             // 507 with Retry-After
  kFailed,               // 500: the log is closed
};

struct IngestOutcome {
  IngestStatus status = IngestStatus::kTaken;
  std::string message, hint;  // when it was not taken
  uint32_t accepted = 0, duplicates = 0, rejected = 0;
  log::CommitSequence durable_after;
  bool ok() const { return status == IngestStatus::kTaken; }
};

}  // namespace sluice::ingest
