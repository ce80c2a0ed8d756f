// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What this process has of the machine's memory for itself.

#include <cstdint>

namespace sluice::io {

// Bytes that are nobody else's: neither shared memory (hot chunks) nor pages of files. 0: the system does not say. Any thread.
uint64_t PrivateMemoryBytes();

}  // namespace sluice::io
