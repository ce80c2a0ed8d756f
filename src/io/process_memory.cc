// SPDX-License-Identifier: Apache-2.0
#include "io/process_memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "io/internal/descriptor.h"

namespace sluice::io {
namespace {

constexpr int kHeapsMax = 4;

}  // namespace

uint64_t PrivateMemoryBytes() {
  const Descriptor file(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[128] = {};
  if (!file.valid() || read(file.get(), text, sizeof text - 1) <= 0) return 0;
  unsigned long long size = 0, resident = 0, shared = 0;
  if (std::sscanf(text, "%llu %llu %llu", &size, &resident, &shared) != 3) return 0;
  return (resident - std::min(resident, shared)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t UsedHeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void ShareHeaps() { mallopt(M_ARENA_MAX, kHeapsMax); }

}  // namespace sluice::io
