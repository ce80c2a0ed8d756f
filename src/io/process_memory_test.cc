// SPDX-License-Identifier: Apache-2.0
#include "io/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace sluice::io {
namespace {

constexpr int64_t kMiB = 1 << 20;

int64_t Private() { return static_cast<int64_t>(PrivateMemoryBytes()); }

TEST(ProcessMemory, CountsWhatIsNobodyElses) {
  constexpr size_t kBytes = 32 << 20;
  auto map = [](int flags) { return mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_POPULATE, -1, 0); };
  const int64_t before = Private();
  ASSERT_GT(before, 0);
  void* own = map(MAP_PRIVATE);
  const int64_t with_own = Private();
  void* shared = map(MAP_SHARED);
  const int64_t with_both = Private();
  EXPECT_NEAR(static_cast<double>(with_own - before), kBytes, 2 * kMiB);
  EXPECT_NEAR(static_cast<double>(with_both - with_own), 0, 2 * kMiB);
  munmap(own, kBytes);
  munmap(shared, kBytes);
}

}  // namespace
}  // namespace sluice::io
