// SPDX-License-Identifier: Apache-2.0
#include "io/process_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>

#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

TEST(ProcessMemory, CountsWhatWasAskedForAndNotGivenBack) {
  constexpr size_t kPieces = 3000, kBytes = 1 << 10;
  const auto used = [] { return static_cast<double>(UsedHeapBytes()); };
  const double before = used();
  std::vector<std::unique_ptr<char[]>> pieces(kPieces);
  for (auto& piece : pieces) piece = std::make_unique<char[]>(kBytes);
  auto large = std::make_unique<char[]>(size_t{64} << 20);  // a mapping of its own, which nobody touched
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  EXPECT_EQ(used(), 0);  // another heap, which tells nothing
#else
  EXPECT_NEAR(used() - before, (64 << 20) + kPieces * kBytes, kMiB);
#endif
  large.reset();
  pieces.clear();
  EXPECT_NEAR(used() - before, 0, kMiB);
}

// Heaps of the C library, as it tells itself, while `count` threads have memory.
int HeapsOfThreads(int count) {
  std::barrier all_have(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++)
    threads.emplace_back([&] {
      void* memory = std::malloc(100);
      all_have.arrive_and_wait();
      std::free(memory);
    });
  for (auto& thread : threads) thread.join();
  char* text = nullptr;
  size_t size = 0;
  FILE* to = open_memstream(&text, &size);
  malloc_info(0, to);
  std::fclose(to);
  const std::string told(text, size);
  std::free(text);
  int heaps = 0;
  for (size_t at = told.find("<heap nr="); at != std::string::npos; at = told.find("<heap nr=", at + 1)) heaps++;
  return heaps;
}

// In a process of its own: heaps that there are stay.
TEST(ProcessMemoryDeathTest, ThreadsShareFourHeaps) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT((ShareHeaps(), std::_Exit(HeapsOfThreads(8) <= 4 ? 0 : 1)), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sluice::io
