// SPDX-License-Identifier: Apache-2.0
#include "io/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace sluice::io {
namespace {

constexpr int64_t kMiB = 1 << 20;

int64_t Private() { return static_cast<int64_t>(PrivateMemoryBytes()); }

std::unique_ptr<char[]> Touched(size_t bytes) {
  auto block = std::make_unique_for_overwrite<char[]>(bytes);
  std::memset(block.get(), 1, bytes);
  return block;
}

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

// Sanitizers bring a heap of their own, which keeps what was freed.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// Goal: a thread that needed much memory once does not keep it.
// Method: blocks of up to 8 MiB between small ones, as tiering needs them, each thread in its arena; then only the small ones stay.
TEST(ProcessMemory, FreedMemoryOfThreadsGoesBack) {
  GiveBackFreeMemory();
  { auto largest = Touched(16 << 20); }  // from here on glibc would keep such blocks
  const int64_t before = Private();
  std::vector<std::vector<std::unique_ptr<char[]>>> kept(4);
  for (auto& small : kept) {
    std::thread([&small] {
      std::vector<std::unique_ptr<char[]>> large;
      for (int i = 0; i < 8; i++) {
        large.push_back(Touched(8 << 20));
        small.push_back(Touched(1000));
      }
    }).join();
  }
  EXPECT_LT(Private() - before, 8 * kMiB);
}

#endif

}  // namespace
}  // namespace sluice::io
