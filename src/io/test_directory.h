// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests only: a directory of the real file system that is gone afterwards.

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "io/file_system.h"

namespace sluice::io {

class TestDirectory {
 public:
  explicit TestDirectory(FileSystem& files) : files_(files) {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/sluice_test_XXXXXX";
    CHECK(mkdtemp(path_.data()) != nullptr, "no temporary directory");
  }
  ~TestDirectory() { (void)RemoveTree(files_, path_).ok(); }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const Path& path() const { return path_; }
  Path operator/(std::string_view name) const { return base::JoinPath(path_, name); }

 private:
  FileSystem& files_;
  Path path_;
};

// A file whose bytes and name no crash takes away.
inline void WriteDurableFile(FileSystem& files, const Path& path, std::string_view bytes) {
  auto file = files.Open(path, {.mode = OpenMode::kCreateOrOpen});
  CHECK(file.ok() && (*file)->Write(0, bytes).ok() && (*file)->Sync().ok() && files.SyncDirectory(base::ParentPath(path)).ok(), "a file of the test");
}

// Memory for direct io.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t size, char fill = 0) : size_(size), data_(static_cast<char*>(std::aligned_alloc(kDirectAlignment, size))) {
    for (size_t i = 0; i < size; i++) data_[i] = fill;
  }
  ~AlignedBytes() { std::free(data_); }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  std::span<char> span() { return {data_, size_}; }
  std::string_view view() const { return {data_, size_}; }

 private:
  const size_t size_;
  char* const data_;
};

}  // namespace sluice::io
