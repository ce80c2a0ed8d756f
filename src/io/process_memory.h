// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What this process has of the machine's memory for itself.

#include <cstdint>

namespace sluice::io {

// Bytes that are nobody else's: neither shared memory (hot chunks) nor pages of files. 0: the system does not say. Any thread.
uint64_t PrivateMemoryBytes();

// Large blocks (kLargeBlockBytes and more) come from the system one by one and go back when they are freed, and an arena of the heap gives
// back what is free at its end. Without it, glibc keeps up to 64 MiB a thread for later, once one large block was freed. For the start of a
// server, before its threads.
inline constexpr int kLargeBlockBytes = 1 << 20;
void GiveBackFreeMemory();

}  // namespace sluice::io
