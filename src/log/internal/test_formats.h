// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests of what stands in files beside the journal: a disk, a journal's id, and damage at every byte.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "io/simulated_world.h"
#include "log/internal/dedup_run.h"
#include "log/internal/journal_directory.h"

namespace sluice::log {

inline JournalId TestId(char fill = 'J') {
  JournalId id;
  id.fill(fill);
  return id;
}

class FormatsTest : public testing::Test {
 protected:
  io::FileSystem& files() { return env_.files; }
  std::string Load(const Path& path) { return *io::ReadFile(files(), path); }

  // Opening or using the file fails with kCorruption when any one of its bytes is damaged.
  void ExpectEveryByteCovered(const Path& path, const std::function<Result<void>()>& use, size_t step = 1) {
    ASSERT_TRUE(use().ok());
    const std::string whole = Load(path);
    for (size_t i = 0; i < whole.size(); i += step) {
      world_.CorruptByte(path, i, 0x04);
      auto used = use();
      ASSERT_FALSE(used.ok()) << "byte " << i;
      ASSERT_EQ(used.error().code, ErrorCode::kCorruption) << "byte " << i;
      world_.CorruptByte(path, i, 0x04);
    }
  }

  io::SimulatedWorld world_{1};
  io::Env env_ = world_.env();
  LogPaths paths_{"/data"};
};

inline DedupRunRange Range(uint64_t first, uint64_t last, int64_t newest = 9) {
  return {CommitSequence(first), CommitSequence(last), Timestamp{1}, Timestamp{newest}};
}

}  // namespace sluice::log
