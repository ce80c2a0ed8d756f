// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace sluice::event {

// What became of a request. The front end maps it to an HTTP status.
enum class DecodeStatus : uint8_t {
  kOk,               // every event is a row
  kMalformed,        // 400: not JSON, not UTF-8, a bad encoding; the batch holds nothing to use
  kTooLarge,         // 413: the body, an event sent alone, or the number of events; the batch holds nothing to use
  kUnsupportedType,  // 415: none of the four content modes; the batch is empty
  kInvalidEvents,    // 422: EventBatch::rejected() tells what is wrong; the rows are the valid ones, for lenient handling
};

// `message`: what went wrong, lower case, no period; `hint`: what to do next, may be empty. Both empty when ok.
struct [[nodiscard]] DecodeOutcome {
  DecodeStatus status = DecodeStatus::kOk;
  std::string message = {};
  std::string hint = {};

  bool ok() const { return status == DecodeStatus::kOk; }
};

}  // namespace sluice::event
