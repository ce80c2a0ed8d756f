// SPDX-License-Identifier: Apache-2.0
//
// What a simulated crash does to files.

#include <gtest/gtest.h>

#include <set>

#include "io/simulated_world.h"
#include "io/test_directory.h"

namespace sluice::io {
namespace {

constexpr uint64_t kSeeds = 200;

// Goal: bytes that were synced survive every crash; bytes that were not are lost in some, kept in some, and torn in some.
TEST(SimulatedCrash, LosesOnlyWhatWasNotSynced) {
  const std::string synced(10'000, 's'), unsynced(10'000, 'u');
  int lost = 0, kept = 0, torn = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      Env env = world.env();
      WriteDurableFile(env.files, "/f", synced);
      auto file = env.files.Open("/f", {.mode = OpenMode::kReadWrite}).value();
      ASSERT_TRUE(file->Write(synced.size(), unsynced).ok());
      world.Crash();
      FAIL() << "the crash returned";
    });
    auto bytes = ReadFile(world.env().files, "/f").value();
    ASSERT_EQ(bytes.substr(0, synced.size()), synced) << "seed " << seed;
    auto rest = bytes.substr(synced.size());
    if (rest.empty()) lost++;
    else if (rest == unsynced) kept++;
    else torn++;
  }
  EXPECT_GT(lost, 10);
  EXPECT_GT(kept, 10);
  EXPECT_GT(torn, 10);
}

TEST(SimulatedCrash, ReordersWritesOfDifferentPages) {
  int later_without_earlier = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      Env env = world.env();
      WriteDurableFile(env.files, "/f", std::string(2 * kDirectAlignment, '.'));
      auto file = env.files.Open("/f", {.mode = OpenMode::kReadWrite}).value();
      ASSERT_TRUE(file->Write(0, "first").ok());
      ASSERT_TRUE(file->Write(kDirectAlignment, "second").ok());
      world.Crash();
    });
    auto bytes = ReadFile(world.env().files, "/f").value();
    later_without_earlier += bytes[0] == '.' && bytes[kDirectAlignment] == 's';
  }
  EXPECT_GT(later_without_earlier, 0);
}

// Goal: two writes to one sector never swap: the later is there only together with the earlier.
TEST(SimulatedCrash, KeepsTheOrderWithinASector) {
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      Env env = world.env();
      WriteDurableFile(env.files, "/f", std::string(512, '.'));
      auto file = env.files.Open("/f", {.mode = OpenMode::kReadWrite}).value();
      ASSERT_TRUE(file->Write(0, "1").ok());
      ASSERT_TRUE(file->Write(1, "2").ok());
      world.Crash();
    });
    auto bytes = ReadFile(world.env().files, "/f").value();
    EXPECT_FALSE(bytes[0] == '.' && bytes[1] == '2') << "seed " << seed;
  }
}

TEST(SimulatedCrash, DirectWritesAreDurableWhenTheyReturn) {
  AlignedBytes page(2 * kDirectAlignment, 'd');
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      Env env = world.env();
      WriteDurableFile(env.files, "/f", "");
      auto file = env.files.Open("/f", {.mode = OpenMode::kReadWrite, .direct = true}).value();
      ASSERT_TRUE(file->Write(0, page.view()).ok());
      world.Crash();
    });
    ASSERT_EQ(ReadFile(world.env().files, "/f").value(), page.view()) << "seed " << seed;
  }
}

// Goal: a direct write that the power failure meets is whole, missing, or torn at sectors, nowhere else.
TEST(SimulatedCrash, TearsADirectWriteInFlightAtSectors) {
  AlignedBytes page(kDirectAlignment, 'd');
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed, {.crash_at_io = 1});
    WriteDurableFile(world.env().files, "/f", std::string(kDirectAlignment, '.'));
    auto file = world.env().files.Open("/f", {.mode = OpenMode::kReadWrite, .direct = true}).value();
    EXPECT_TRUE(world.Run([&] { (void)file->Write(0, page.view()).ok(); }).crashed());
    auto bytes = ReadFile(world.env().files, "/f").value();
    ASSERT_EQ(bytes.size(), kDirectAlignment);
    std::string sectors;
    for (size_t at = 0; at < bytes.size(); at += 512) {
      sectors += bytes[at];
      ASSERT_EQ(bytes.substr(at, 512), std::string(512, bytes[at]));
    }
    seen.insert(sectors);
  }
  EXPECT_TRUE(seen.contains("dddddddd"));
  EXPECT_TRUE(seen.contains("........"));
  EXPECT_GT(seen.size(), 10u);
}

TEST(SimulatedCrash, MayUndoARenameBeforeSyncDirectoryAndNeverAfter) {
  for (bool sync : {false, true}) {
    int old_bytes = 0, new_bytes = 0;
    for (uint64_t seed = 0; seed < kSeeds; seed++) {
      SimulatedWorld world(seed);
      world.Run([&] {
        Env env = world.env();
        WriteDurableFile(env.files, "/f", "old");
        WriteDurableFile(env.files, "/g", "new");
        ASSERT_TRUE(env.files.Rename("/g", "/f").ok());
        ASSERT_TRUE(!sync || env.files.SyncDirectory("/").ok());
        world.Crash();
      });
      auto bytes = ReadFile(world.env().files, "/f").value();
      old_bytes += bytes == "old";
      new_bytes += bytes == "new";
      EXPECT_EQ(Exists(world.env().files, "/g").value(), bytes == "old") << "a rename is whole or not at all, seed " << seed;
    }
    EXPECT_EQ(old_bytes + new_bytes, static_cast<int>(kSeeds));
    EXPECT_GT(new_bytes, 0);
    if (sync) EXPECT_EQ(old_bytes, 0);
    else EXPECT_GT(old_bytes, 0);
  }
}

TEST(SimulatedCrash, MayLoseTheNameOfASyncedFile) {
  int lost = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      auto file = world.env().files.Open("/f", {.mode = OpenMode::kCreate}).value();
      ASSERT_TRUE(file->Write(0, "x").ok() && file->Sync().ok());
      world.Crash();
    });
    lost += !Exists(world.env().files, "/f").value();
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, static_cast<int>(kSeeds));
}

TEST(SimulatedCrash, KeepsDirectoriesThatWereCreatedWithTheirParents) {
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      ASSERT_TRUE(world.env().files.CreateDirectories("/a/b/c").ok());
      world.Crash();
    });
    ASSERT_TRUE(Exists(world.env().files, "/a/b/c").value()) << "seed " << seed;
  }
}

// Found by the simulator: a directory whose maker failed to sync it stayed without a durable name, and took what was made in it along.
// Method: kill the maker at each of its calls; another process makes a directory below; the power fails.
TEST(SimulatedCrash, KeepsDirectoriesBelowOneWhoseMakerWasKilled) {
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    for (uint64_t call = 1; call <= 6; call++) {
      SimulatedWorld world(seed, {.crash_at_io = call, .crash_kind = CrashKind::kProcess});
      world.Run([&] { (void)world.env().files.CreateDirectories("/a/b"); });
      world.SetOptions({});
      world.Run([&] {
        ASSERT_TRUE(world.env().files.CreateDirectories("/a/b/c").ok());
        world.Crash();
      });
      ASSERT_TRUE(Exists(world.env().files, "/a/b/c").value()) << "seed " << seed << ", killed at call " << call;
    }
  }
}

TEST(SimulatedCrash, OfAProcessKeepsThePageCache) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    SimulatedWorld world(seed);
    world.Run([&] {
      auto file = world.env().files.Open("/f", {.mode = OpenMode::kCreate}).value();
      ASSERT_TRUE(file->Write(0, "unsynced").ok());
      world.Crash(CrashKind::kProcess);
    });
    EXPECT_EQ(ReadFile(world.env().files, "/f").value(), "unsynced");
  }
}

TEST(SimulatedCrash, ReleasesLocks) {
  SimulatedWorld world(1);
  std::unique_ptr<FileLock> held;
  world.Run([&] {
    held = world.env().files.Lock("/LOCK").value();
    EXPECT_EQ(world.env().files.Lock("/LOCK").error().code, ErrorCode::kConflict);
    world.Crash(CrashKind::kProcess);
  });
  EXPECT_TRUE(world.env().files.Lock("/LOCK").ok());
}

// ---- crash at every io call ----------------------------------------------------------------------------------------------------------------

// The bug that the simulator exists to find: bytes are acknowledged before they are synced.
void Save(Env env, bool with_sync, bool& acknowledged) {
  auto file = env.files.Open("/f.tmp", {.mode = OpenMode::kCreateOrOpen}).value();
  ASSERT_TRUE(file->Write(0, "precious").ok());
  ASSERT_TRUE(!with_sync || file->Sync().ok());
  ASSERT_TRUE(env.files.Rename("/f.tmp", "/f").ok());
  ASSERT_TRUE(env.files.SyncDirectory("/").ok());
  acknowledged = true;
  ASSERT_TRUE(env.files.Stat("/f").ok());  // something after the acknowledgement to crash at
}

// How many of the runs with this seed lose what was acknowledged: one run per io call.
int CountLosses(uint64_t seed, bool with_sync) {
  uint64_t io_count = 0;
  int losses = 0;
  for (uint64_t crash_at = 0; crash_at <= io_count; crash_at++) {
    SimulatedWorld world(seed, {.crash_at_io = crash_at});
    bool acknowledged = false;
    auto result = world.Run([&] { Save(world.env(), with_sync, acknowledged); });
    EXPECT_EQ(result.crashed(), crash_at != 0);
    if (crash_at == 0) io_count = world.io_count();
    auto bytes = ReadFile(world.env().files, "/f");
    losses += acknowledged && !(bytes.ok() && *bytes == "precious");
  }
  return losses;
}

TEST(SimulatedWorld, CrashAtEveryIoFindsAMissingSync) {
  int losses = 0;
  for (uint64_t seed = 0; seed < 20; seed++) {
    losses += CountLosses(seed, false);
    EXPECT_EQ(CountLosses(seed, true), 0) << "seed " << seed;
  }
  EXPECT_GT(losses, 0);
}

TEST(SimulatedWorld, WriteFileAtomicallyHoldsAtEveryIo) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    for (uint64_t crash_at = 1; crash_at <= 8; crash_at++) {
      SimulatedWorld world(seed, {.crash_at_io = crash_at});
      ASSERT_TRUE(WriteFileAtomically(world.env().files, "/f", "old").ok());
      bool written = false;
      world.Run([&] { written = WriteFileAtomically(world.env().files, "/f", "new and longer").ok(); });
      auto bytes = ReadFile(world.env().files, "/f").value();
      EXPECT_TRUE(bytes == "new and longer" || (!written && bytes == "old")) << bytes << " seed " << seed << " crash at " << crash_at;
    }
  }
}

}  // namespace
}  // namespace sluice::io
