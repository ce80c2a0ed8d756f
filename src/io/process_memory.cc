// SPDX-License-Identifier: Apache-2.0
#include "io/process_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace sluice::io {

uint64_t PrivateMemoryBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long size = 0, resident = 0, shared = 0;
  const bool read = std::fscanf(file, "%llu %llu %llu", &size, &resident, &shared) == 3;
  std::fclose(file);
  return read ? (resident - std::min(resident, shared)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// Said explicitly, both thresholds stay where they are; otherwise they follow the largest block that was freed.
void GiveBackFreeMemory() {
  mallopt(M_MMAP_THRESHOLD, kLargeBlockBytes);
  mallopt(M_TRIM_THRESHOLD, kLargeBlockBytes);
}

}  // namespace sluice::io
