// SPDX-License-Identifier: Apache-2.0
#include "event/limits.h"

namespace sluice::event {

Result<void> DecodeLimits::Validate() const {
  constexpr size_t kPositionsMax = (size_t{1} << 31) - 2;  // slices of an EventBatch
  constexpr uint32_t kDepthBits = 64;                      // the walker keeps a bit per level
  if (body_bytes_max == 0 || event_bytes_max == 0 || events_max == 0 || json_depth_max == 0 || json_keys_max == 0)
    return Error{ErrorCode::kInvalid, "a limit of events is zero", "use at least 1"};
  if (body_bytes_max > kPositionsMax) return Error{ErrorCode::kInvalid, "the body limit is larger than 2 GiB", "use a smaller one"};
  if (json_depth_max > kDepthBits) return Error{ErrorCode::kInvalid, "the JSON depth limit is larger than 64", "use at most 64"};
  return {};
}

}  // namespace sluice::event
