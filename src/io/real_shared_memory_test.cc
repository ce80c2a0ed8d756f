// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/env.h"
#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"
#include "io/test_directory.h"

namespace sluice::io {
namespace {

class RealSharedMemoryTest : public testing::Test {
 protected:
  std::unique_ptr<SharedMemory> memory_ = MakeRealSharedMemory();
};

TEST_F(RealSharedMemoryTest, SizeIsRoundedUpToPagesAndZero) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(memory_->Create("hot", 1).value()->bytes().size(), page);
  EXPECT_EQ(memory_->Create("hot", page).value()->bytes().size(), page);
  auto region = memory_->Create("hot", page + 1).value();
  EXPECT_EQ(region->bytes().size(), 2 * page);
  EXPECT_TRUE(std::all_of(region->bytes().begin(), region->bytes().end(), [](char c) { return c == 0; }));
}

TEST_F(RealSharedMemoryTest, ReaderSeesWhatTheOwnerWritesLater) {
  auto region = memory_->Create("hot", 4096).value();
  void* view = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, region->descriptor(), 0);
  ASSERT_NE(view, MAP_FAILED);
  std::memcpy(region->bytes().data(), "later", 5);
  EXPECT_EQ(std::memcmp(view, "later", 5), 0);
  munmap(view, 4096);
}

// Goal: whoever holds the descriptor cannot change the owner's memory. Method: try every way to write that there is.
TEST_F(RealSharedMemoryTest, DescriptorGivesNoWayToWrite) {
  auto region = memory_->Create("hot", 4096).value();
  int fd = region->descriptor();
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_LT(write(fd, "x", 1), 0);
  EXPECT_NE(ftruncate(fd, 0), 0);
  EXPECT_NE(ftruncate(fd, 8192), 0);
  void* view = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_NE(mprotect(view, 4096, PROT_READ | PROT_WRITE), 0);
  munmap(view, 4096);
  // Reopened read-write through /proc the seals still hold.
  Descriptor again(open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC));
  if (again.valid()) {
    EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again.get(), 0), MAP_FAILED);
    EXPECT_LT(write(again.get(), "x", 1), 0);
    EXPECT_NE(ftruncate(again.get(), 0), 0);
    EXPECT_NE(fcntl(again.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  }
}

TEST_F(RealSharedMemoryTest, MappedFileIsReadThroughItsDescriptorAndNeverWritten) {
  RealWorld world(LogLevel::kError);
  TestDirectory directory(world.env().files);
  auto file = world.env().files.OpenUnnamed(directory.path()).value();
  ASSERT_TRUE(file->Write(4096, "later").ok());
  auto mapped = memory_->MapFile(*file).value();
  file.reset();
  EXPECT_EQ(mapped->view().size(), 4101u);
  EXPECT_EQ(std::memcmp(mapped->view().data() + 4096, "later", 5), 0);
  EXPECT_EQ(mapped->view()[0], 0) << "what was left out reads as zeros";
  void* view = mmap(nullptr, 4101, PROT_READ, MAP_SHARED, mapped->descriptor(), 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_EQ(std::memcmp(static_cast<char*>(view) + 4096, "later", 5), 0);
  EXPECT_NE(mprotect(view, 4101, PROT_READ | PROT_WRITE), 0);
  munmap(view, 4101);
  EXPECT_EQ(mmap(nullptr, 4101, PROT_READ | PROT_WRITE, MAP_SHARED, mapped->descriptor(), 0), MAP_FAILED);
  EXPECT_LT(write(mapped->descriptor(), "x", 1), 0);
  EXPECT_NE(ftruncate(mapped->descriptor(), 0), 0);
  EXPECT_TRUE(world.env().files.List(directory.path())->empty()) << "a file without a name leaves nothing behind";
}

}  // namespace
}  // namespace sluice::io
