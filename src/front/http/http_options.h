// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "front/http/limits.h"

namespace sluice::front::http {

// What an operator may change. Sizes in bytes, times in milliseconds.
struct HttpOptions {
  int64_t head_timeout_ms = 10'000;   // first byte of a request to the end of its head
  int64_t body_timeout_ms = 30'000;   // end of the head to the end of the body
  int64_t idle_timeout_ms = 60'000;   // between requests
  int64_t write_timeout_ms = 30'000;  // for each kWriteProgressBytes of an answer
  int64_t linger_timeout_ms = 2'000;  // waiting for the client to read a final answer
  size_t connections_max = 10'000;    // more: 503 and closed
  size_t connections_per_address_max = 256;  // the same, for one IP address; loopback is not counted; 0: no bound
  uint64_t body_bytes_in_flight_max = 256ull << 20;  // received and not yet given back by handlers; more: 503

  // kInvalid names the option that is out of range.
  Result<void> Validate() const;
};

}  // namespace sluice::front::http
