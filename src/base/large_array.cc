// SPDX-License-Identifier: Apache-2.0
#include "base/large_array.h"

#include <sys/mman.h>

#include <string>

#include "base/check.h"

namespace sluice::base {

char* AllocateZeroed(size_t bytes) {
  if (bytes == 0) return nullptr;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    CheckFailed(__FILE__, __LINE__, "the system gives memory", ("no memory, the process ends: " + std::to_string(bytes) + " bytes were asked for").c_str());
  madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: a system without large pages gives small ones
  return static_cast<char*>(memory);
}

void FreeZeroed(char* memory, size_t bytes) {
  if (memory != nullptr) munmap(memory, bytes);
}

}  // namespace sluice::base
