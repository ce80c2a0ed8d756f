// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What this process has of the machine's memory for itself, and how its threads share it.

#include <cstdint>

namespace sluice::io {

// Bytes that are nobody else's: neither shared memory (hot chunks) nor pages of files. 0: the system does not say. Any thread.
uint64_t PrivateMemoryBytes();

// Bytes of the C library's heaps that somebody has. What a heap keeps after they were given back is private memory too, and depends on
// which threads met in it: growth of this one is growth. Under a sanitizer 0. Looks at every free piece: for now and then. Any thread.
uint64_t UsedHeapBytes();

// All threads take memory from four heaps, so that what one gives back serves the next one. The C library would have eight for each core,
// each of which keeps what was once freed; with two, writers of data files are in each other's way. To be called before threads start.
void ShareHeaps();

}  // namespace sluice::io
