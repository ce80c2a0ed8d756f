// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "io/file_system.h"

namespace sluice::io {

// Both twins and both ways of `direct` check, so that no machine hides a caller's mistake.
inline void CheckDirectAligned(uint64_t at, const void* bytes, size_t size) {
  CHECK(at % kDirectAlignment == 0 && size % kDirectAlignment == 0, "direct io at a position or of a size that is not a multiple of kDirectAlignment");
  CHECK(reinterpret_cast<uintptr_t>(bytes) % kDirectAlignment == 0, "direct io from memory that is not aligned to kDirectAlignment");
}

}  // namespace sluice::io
