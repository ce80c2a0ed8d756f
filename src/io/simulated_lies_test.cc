// SPDX-License-Identifier: Apache-2.0
//
// A disk that lies: once, about the files it was told to, and in the way it was told to; and a catalog.

#include <gtest/gtest.h>

#include <array>
#include <bit>

#include "io/simulated_world.h"
#include "io/test_directory.h"

namespace sluice::io {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 4;

// What a file holds after four pages were written over four others and synced, and the machine was switched off.
std::string WrittenWith(DiskLie lie, uint64_t seed, bool direct, std::string* other = nullptr) {
  SimulatedWorld world(seed);
  world.Run([&] {
    Env env = world.env();
    ASSERT_TRUE(env.files.CreateDirectories("/d").ok());
    WriteDurableFile(env.files, "/d/f", std::string(kPages * kPage, 'o'));
    WriteDurableFile(env.files, "/d/other", std::string(kPages * kPage, '.'));
    world.SetOptions({.lie = lie});
    auto file = env.files.Open("/d/f", {.mode = OpenMode::kReadWrite, .direct = direct}).value();
    alignas(kPage) static const std::array<char, kPage> kNew = [] {
      std::array<char, kPage> out;
      out.fill('n');
      return out;
    }();
    for (size_t i = 0; i < kPages; i++) ASSERT_TRUE(file->Write(i * kPage, {kNew.data(), kPage}).ok());
    ASSERT_TRUE(file->Sync().ok());
    world.Crash();
  });
  if (other != nullptr) *other = ReadFile(world.env().files, "/d/other").value();
  EXPECT_NE(world.lie(), nullptr);
  return ReadFile(world.env().files, "/d/f").value();
}

TEST(SimulatedLies, ALostWriteIsSyncedAndNotThere) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    for (bool direct : {false, true}) {
      auto bytes = WrittenWith({DiskLie::Kind::kLostWrite, "/d/", 3}, seed, direct);
      EXPECT_EQ(bytes, std::string(2 * kPage, 'n') + std::string(kPage, 'o') + std::string(kPage, 'n'));
    }
  }
}

TEST(SimulatedLies, AMisdirectedWriteLandsOnAnotherPageOrFile) {
  int elsewhere = 0, same_file = 0;
  for (uint64_t seed = 0; seed < 60; seed++) {
    std::string other;
    auto bytes = WrittenWith({DiskLie::Kind::kMisdirectedWrite, "/d/", 1}, seed, true, &other);
    elsewhere += other != std::string(kPages * kPage, '.');
    same_file += bytes.size() > kPages * kPage || (other == std::string(kPages * kPage, '.') && bytes[0] == 'o');
  }
  EXPECT_GT(elsewhere, 5);
  EXPECT_GT(same_file, 5);
}

TEST(SimulatedLies, ARottenBitStaysAndIsOne) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    std::string other;
    auto bytes = WrittenWith({DiskLie::Kind::kRottenBit, "/d/", 4}, seed, true, &other);
    int bits = 0;
    for (char c : bytes) bits += std::popcount(static_cast<uint8_t>(c ^ 'n'));
    for (char c : other) bits += std::popcount(static_cast<uint8_t>(c ^ '.'));
    EXPECT_EQ(bits, 1);
  }
}

// Nothing is wrong on the disk, only in what one reader got.
TEST(SimulatedLies, ARottenReadIsOneRead) {
  SimulatedWorld world(1);
  const std::string right(kPage, 'x');
  std::string first, second, third;
  world.Run([&] {
    Env env = world.env();
    ASSERT_TRUE(env.files.CreateDirectories("/d").ok());
    WriteDurableFile(env.files, "/d/f", right);
    world.SetOptions({.lie = {DiskLie::Kind::kRottenRead, "/d/", 2}});
    first = ReadFile(env.files, "/d/f").value();
    second = ReadFile(env.files, "/d/f").value();
    third = ReadFile(env.files, "/d/f").value();
  });
  EXPECT_EQ(first, right);
  EXPECT_NE(second, right);
  EXPECT_EQ(third, right);
  ASSERT_NE(world.lie(), nullptr);
  EXPECT_EQ(world.lie()->path, "/d/f");
}

TEST(SimulatedLies, OtherFilesAreLeftAlone) {
  SimulatedWorld world(1, {.lie = {DiskLie::Kind::kRottenRead, "/d/", 1}});
  world.Run([&] {
    WriteDurableFile(world.env().files, "/e", "x");
    EXPECT_EQ(ReadFile(world.env().files, "/e").value(), "x");
  });
  EXPECT_EQ(world.lie(), nullptr);
}

// Where a table is said to be after three commits, asked twice; with a power failure between the last commit and the questions.
struct Said {
  std::vector<std::string> first, second;  // of "t" and "u"; "": there is none
  bool is_told = false;
};
Said SaidBy(CatalogLie lie, uint64_t seed) {
  SimulatedWorld world(seed, {.catalog_lie = lie});
  world.Run([&] {
    auto& catalog = world.catalog();
    ASSERT_TRUE(catalog.CreateTable("n", "t", "t1").ok());
    ASSERT_TRUE(catalog.CreateTable("n", "u", "u1").ok());
    ASSERT_TRUE(catalog.SwapTable("n", "t", "t1", "t2").ok());
    const auto last = catalog.SwapTable("n", "t", "t2", "t3");
    ASSERT_TRUE(last.ok() || lie.kind == CatalogLie::Kind::kLostCommit);
    world.Crash();
  });
  Said out;
  world.Run([&] {
    for (auto* said : {&out.first, &out.second})
      for (const char* name : {"t", "u"}) {
        auto row = world.catalog().LoadTable("n", name);
        ASSERT_TRUE(row.ok());
        said->push_back(*row ? (*row)->metadata_location : "");
      }
  });
  out.is_told = world.lie() != nullptr;
  return out;
}

TEST(SimulatedCatalogLies, EachIsToldOnceAndInItsWay) {
  using Kind = CatalogLie::Kind;
  const std::vector<std::string> truth = {"t3", "u1"};
  EXPECT_EQ(SaidBy({}, 1).first, truth);
  for (uint64_t seed = 0; seed < 10; seed++) {
    for (auto kind : {Kind::kOldAnswer, Kind::kOtherAnswer, Kind::kNoneAnswer}) {
      const auto said = SaidBy({kind, 1}, seed);
      EXPECT_TRUE(said.is_told);
      EXPECT_NE(said.first, truth);
      EXPECT_EQ(said.second, truth);
    }
    for (auto kind : {Kind::kRolledBack, Kind::kOtherTable, Kind::kForgotten, Kind::kLostAtCrash}) {
      const auto said = SaidBy({kind, 1}, seed);
      EXPECT_TRUE(said.is_told);
      EXPECT_NE(said.first, truth);
      EXPECT_EQ(said.second, said.first);
    }
    EXPECT_EQ(SaidBy({Kind::kLostCommit, 4}, seed).first, (std::vector<std::string>{"t2", "u1"}));
    EXPECT_EQ(SaidBy({Kind::kLostAtCrash, 3}, seed).first, (std::vector<std::string>{"t1", "u1"}));
    EXPECT_EQ(SaidBy({Kind::kForgotten, 1}, seed).second, (std::vector<std::string>{"", "u1"}));
    EXPECT_EQ(SaidBy({Kind::kOtherTable, 1}, seed).second, (std::vector<std::string>{"u1", "u1"}));
  }
}

}  // namespace
}  // namespace sluice::io
