// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests only: both twins of the file system, with an empty directory each, so that one contract test runs on both.

#include <memory>

#include "io/simulated_world.h"
#include "io/test_directory.h"

namespace sluice::io {

enum class FileSystemTwin : uint8_t { kReal, kSimulated };

inline const char* FileSystemTwinName(FileSystemTwin twin) { return twin == FileSystemTwin::kReal ? "Real" : "Simulated"; }

class FileSystemUnderTest {
 public:
  explicit FileSystemUnderTest(FileSystemTwin twin) : simulated_(twin == FileSystemTwin::kSimulated) {
    if (simulated_) CHECK(files().CreateDirectories("/work").ok(), "no directory for the test");
    else real_directory_ = std::make_unique<TestDirectory>(files());
  }
  FileSystem& files() { return simulated_ ? simulated_world_.env().files : real_world_.env().files; }
  Path directory() const { return simulated_ ? "/work" : real_directory_->path(); }

 private:
  const bool simulated_;
  SimulatedWorld simulated_world_{1};
  RealWorld real_world_{LogLevel::kError};
  std::unique_ptr<TestDirectory> real_directory_;
};

inline std::unique_ptr<FileSystemUnderTest> MakeFileSystem(FileSystemTwin twin) { return std::make_unique<FileSystemUnderTest>(twin); }

}  // namespace sluice::io
