// SPDX-License-Identifier: Apache-2.0
#include "front/http/http_options.h"

#include <string>

namespace sluice::front::http {
namespace {

constexpr int64_t kTimeoutMsMax = 24 * 3600 * 1000;

Error OutOfRange(std::string_view name, std::string_view range) {
  return Error{ErrorCode::kInvalid, "\"" + std::string(name) + "\" is out of range", "use " + std::string(range)};
}

}  // namespace

Result<void> HttpOptions::Validate() const {
  const std::pair<std::string_view, int64_t> timeouts[] = {{"head_timeout_ms", head_timeout_ms},
                                                           {"body_timeout_ms", body_timeout_ms},
                                                           {"idle_timeout_ms", idle_timeout_ms},
                                                           {"write_timeout_ms", write_timeout_ms},
                                                           {"linger_timeout_ms", linger_timeout_ms}};
  for (auto [name, ms] : timeouts) {
    if (ms < 1 || ms > kTimeoutMsMax) return OutOfRange(name, "1 to " + std::to_string(kTimeoutMsMax) + " milliseconds");
  }
  if (connections_max < 1) return OutOfRange("connections_max", "1 or more");
  if (body_bytes_in_flight_max < kBodyBytesMax) return OutOfRange("body_bytes_in_flight_max", "at least " + std::to_string(kBodyBytesMax));
  return {};
}

}  // namespace sluice::front::http
