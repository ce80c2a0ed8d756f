// SPDX-License-Identifier: Apache-2.0
#include "log/internal/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "io/simulated_world.h"
#include "log/internal/journal_reader.h"

namespace sluice::log {
namespace {

constexpr size_t kFileBytes = size_t{24} << 20;

std::string RandomBytes(size_t n) {
  std::mt19937_64 random(7);
  std::string out(n, '\0');
  for (size_t at = 0; at < n; at += 512) out[at] = static_cast<char>(random());
  return out;
}

// Goal: who reads a file in pieces of all sizes, as a scan of commits does, gets its bytes, whatever was read ahead.
// Method: pieces that lie across the borders of windows, some of them longer than what is read at once, with steps back to a commit's header.
TEST(ReadAheadTest, PiecesAcrossWindowsAreTheFilesBytes) {
  io::SimulatedWorld world(3);
  world.Run([&] {
    const std::string bytes = RandomBytes(kFileBytes);
    ASSERT_TRUE(io::WriteFileAtomically(world.env().files, "segment", bytes).ok());
    ReadAhead ahead(world.env().threads);
    std::mt19937_64 random(11);
    for (int round = 0; round < 20; round++) {
      auto reader = SegmentReader::Open(world.env().files, "segment", round % 4 == 0 ? nullptr : &ahead).value();
      for (uint64_t at = round % 2 == 0 ? 0 : kBlock; at < kFileBytes;) {
        const size_t largest =
            std::array{3 * ReadAhead::kPieceBytes, ReadAhead::kRoom + kBlock, size_t{300} << 10}[std::min(random() % 8, uint64_t{2})];
        const size_t n = 1 + random() % largest;
        ASSERT_TRUE(reader.Read(at, 80).ok());
        const auto piece = reader.Read(at, n);
        ASSERT_TRUE(piece.ok());
        ASSERT_EQ(piece->size(), std::min<uint64_t>(n, kFileBytes - at));
        ASSERT_TRUE(*piece == std::string_view(bytes).substr(at, n)) << at << " " << n;
        at += PadTo(n, kBlock);
      }
      EXPECT_EQ(reader.Read(kFileBytes, 80)->size(), 0u);
    }
  });
}

// Goal: a scan that ends early, or goes over to another file, does not get what was read ahead for the one before.
TEST(ReadAheadTest, WhatWasBegunForAnotherFileIsForgotten) {
  io::SimulatedWorld world(4);
  world.Run([&] {
    std::string one = RandomBytes(kFileBytes), two = one;
    for (size_t at = 0; at < two.size(); at += 512) two[at] = static_cast<char>(two[at] + 1);
    ASSERT_TRUE(io::WriteFileAtomically(world.env().files, "one", one).ok());
    ASSERT_TRUE(io::WriteFileAtomically(world.env().files, "two", two).ok());
    ReadAhead ahead(world.env().threads);
    {
      auto reader = SegmentReader::Open(world.env().files, "one", &ahead).value();
      ASSERT_TRUE(reader.Read(kBlock, 80).ok());
    }
    auto first = SegmentReader::Open(world.env().files, "one", &ahead).value(),
         second = SegmentReader::Open(world.env().files, "two", &ahead).value();
    for (uint64_t at = kBlock; at + (1 << 20) < kFileBytes; at += size_t{1} << 20) {
      ASSERT_TRUE(*first.Read(at, 1 << 20) == std::string_view(one).substr(at, 1 << 20));
      ASSERT_TRUE(*second.Read(at, 1 << 20) == std::string_view(two).substr(at, 1 << 20));
    }
  });
}

}  // namespace
}  // namespace sluice::log
