// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What this process has of the machine's memory for itself, and how its threads share it.

#include <cstdint>

namespace sluice::io {

// Bytes that are nobody else's: neither shared memory (hot chunks) nor pages of files. 0: the system does not say. Any thread.
uint64_t PrivateMemoryBytes();

// All threads take memory from four heaps, so that what one gives back serves the next one. The C library would have eight for each core,
// each of which keeps what was once freed; with two, writers of data files are in each other's way. To be called before threads start.
void ShareHeaps();

}  // namespace sluice::io
