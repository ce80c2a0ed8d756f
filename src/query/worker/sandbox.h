// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What is left of a process that runs somebody's SQL: memory, threads, and the descriptors it was given.
//
//   limits   RLIMIT_DATA (private writable memory), RLIMIT_AS (page tables), RLIMIT_FSIZE (a spill file), no core, no locked memory
//   seccomp  no open, no socket, no exec, no fork, no executable memory; shared mappings only of files, only for reading
//
// RLIMIT_DATA counts neither shared anonymous memory nor mappings that grow down, which is why the mmap rules forbid them. RLIMIT_AS counts address
// space that nobody touches, hot rows in files among it: it is high, and there because page tables cost a 512th of what is touched.

#include <cstdint>

#include "base/result.h"

namespace sluice::query {

// A sanitizer's shadow is private memory of terabytes: under one there is no RLIMIT_DATA, and tests of it are skipped.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsLimited = false;
#else
inline constexpr bool kMemoryIsLimited = true;
#endif

inline constexpr uint64_t kAddressBytesMax = uint64_t{256} << 30;

struct SandboxOptions {
  uint64_t data_bytes = uint64_t{1} << 30;
  uint64_t spill_file_bytes = uint64_t{256} << 20;
  // Print and die at a refused system call instead of failing it: to find what a new DuckDB needs. Not for use.
  bool trap = false;
};

// Of the calling process, all its threads. Call when every thread that opens something has done so: nothing can be undone.
// An error means that the process must not run a statement.
Result<void> EnterSandbox(const SandboxOptions& options);

}  // namespace sluice::query
