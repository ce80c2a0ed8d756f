// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Bounds of what a request may hold. The defaults are the documented ones; tests set smaller ones.

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace sluice::event {

inline constexpr size_t kBodyBytesMax = size_t{32} << 20;   // after decompression
inline constexpr size_t kEventBytesMax = size_t{1} << 20;   // one event: its JSON text, or its headers and body
inline constexpr uint32_t kEventsMax = 5'000;               // of one request
inline constexpr uint32_t kJsonDepthMax = 64;               // the event itself is the first level
inline constexpr uint32_t kJsonKeysMax = 10'000;            // of one object
inline constexpr uint32_t kExtensionsMax = 128;             // of one event, those with a column of their own not counted

struct DecodeLimits {
  size_t body_bytes_max = kBodyBytesMax;
  size_t event_bytes_max = kEventBytesMax;
  uint32_t events_max = kEventsMax;
  uint32_t json_depth_max = kJsonDepthMax;
  uint32_t json_keys_max = kJsonKeysMax;
  uint32_t extensions_max = kExtensionsMax;

  // kInvalid: a limit is zero, or larger than the formats of this folder can hold.
  Result<void> Validate() const;
};

}  // namespace sluice::event
