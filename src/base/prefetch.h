// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The cache line at an address is asked for, to be there when it is read some steps later. Nothing is read: any address will do.
//
// Not __builtin_prefetch: g++ 12 takes a function that does nothing else for one without effect, and drops the calls of it.

namespace sluice::base {

inline void Prefetch(const void* address) { asm volatile("prefetcht0 (%0)" : : "r"(address)); }

}  // namespace sluice::base
