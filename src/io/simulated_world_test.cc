// SPDX-License-Identifier: Apache-2.0
#include "io/simulated_world.h"

#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "io/bounded_queue.h"
#include "io/test_directory.h"

namespace sluice::io {
namespace {

constexpr uint64_t kSeeds = 200;

// ---- actors ------------------------------------------------------------------------------------------------------------------------------------

uint64_t TraceOfBusyWorld(uint64_t seed) {
  SimulatedWorld world(seed, {.read_error = 0.1, .write_error = 0.1});
  world.Run([&] {
    Env env = world.env();
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < 4; i++)
      threads.push_back(env.threads.Start("t" + std::to_string(i), ThreadPriority::kNormal, [&world, i] {
        Env own = world.env();
        auto file = own.files.Open("/f" + std::to_string(i % 2), {.mode = OpenMode::kCreateOrOpen}).value();
        for (int n = 0; n < 10; n++) {
          (void)file->Write(own.random.Next64() % 1000, "x").ok();
          own.clock.SleepUs(static_cast<int64_t>(own.random.Next64() % 100));
        }
      }));
    for (auto& thread : threads) thread->Join();
  });
  return world.trace_hash();
}

TEST(SimulatedWorld, SameSeedGivesTheSameTrace) {
  std::set<uint64_t> traces;
  for (uint64_t seed = 0; seed < 10; seed++) {
    auto trace = TraceOfBusyWorld(seed);
    EXPECT_EQ(TraceOfBusyWorld(seed), trace) << "seed " << seed;
    traces.insert(trace);
  }
  EXPECT_EQ(traces.size(), 10u);
}

// Goal: interleavings differ by seed, so that a race between two io calls is found. Method: an increment that reads, then writes.
TEST(SimulatedWorld, FindsALostUpdate) {
  int lost = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed);
    int counter = 0;
    auto increment = [&] {
      int read = counter;
      (void)world.env().files.Stat("/").ok();
      counter = read + 1;
    };
    world.Spawn("main", "a", increment);
    world.Spawn("main", "b", increment);
    EXPECT_TRUE(world.Run().finished());
    lost += counter == 1;
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, static_cast<int>(kSeeds));
}

TEST(SimulatedWorld, TimePassesOnlyInSleepAndIo) {
  SimulatedWorld world(1);
  world.Run([&] {
    Env env = world.env();
    auto before = env.clock.Now();
    int64_t monotonic = env.clock.MonotonicNs();
    EXPECT_EQ(env.clock.Now(), before);
    env.clock.SleepUs(3600 * kMicrosPerSecond);
    EXPECT_EQ(env.clock.Now().us - before.us, 3600 * kMicrosPerSecond);
    EXPECT_EQ(env.clock.MonotonicNs() - monotonic, 3600 * kMicrosPerSecond * 1000);
    before = env.clock.Now();
    ASSERT_TRUE(env.files.Stat("/").ok());
    EXPECT_GT(env.clock.MonotonicNs() - monotonic, 3600 * kMicrosPerSecond * 1000);
    monotonic = env.clock.MonotonicNs();
    world.JumpClock(-kMicrosPerHour);
    EXPECT_LT(env.clock.Now(), before);
    EXPECT_EQ(env.clock.MonotonicNs(), monotonic);
  });
}

TEST(SimulatedWorld, SignalsWakeAndTimeOut) {
  SimulatedWorld world(1);
  auto result = world.Run([&] {
    Env env = world.env();
    auto ping = env.threads.NewSignal(), pong = env.threads.NewSignal();
    auto thread = env.threads.Start("pong", ThreadPriority::kNormal, [&] {
      EXPECT_TRUE(ping->Wait());
      pong->Notify();
    });
    EXPECT_FALSE(pong->Wait(1000));
    ping->Notify();
    EXPECT_TRUE(pong->Wait());
    thread->Join();
    ping->Notify();
    ping->Notify();
    EXPECT_TRUE(ping->Wait(0));
    EXPECT_FALSE(ping->Wait(0));
  });
  EXPECT_TRUE(result.finished()) << result.report;
}

TEST(SimulatedWorld, DeadlockIsReportedWithEveryActor) {
  SimulatedWorld world(1);
  auto result = world.Run([&] {
    Env env = world.env();
    auto bell = env.threads.NewSignal();
    auto thread = env.threads.Start("sleeper", ThreadPriority::kNormal, [&] { bell->Wait(); });
    thread->Join();
  });
  EXPECT_EQ(result.outcome, SimulationOutcome::kDeadlock);
  EXPECT_NE(result.report.find("sleeper"), std::string::npos) << result.report;
  EXPECT_NE(result.report.find("wait for a signal"), std::string::npos) << result.report;
  EXPECT_NE(result.report.find("join sleeper"), std::string::npos) << result.report;
}

TEST(SimulatedWorld, EndlessRunIsStopped) {
  SimulatedWorld world(1, {.steps_max = 1000});
  auto result = world.Run([&] {
    for (;;) world.env().clock.SleepUs(1);
  });
  EXPECT_EQ(result.outcome, SimulationOutcome::kEndless);
}

// Goal: a mutex held across an io call is found, not waited for. Method: one holds it while it sleeps, the other wants it.
TEST(SimulatedWorld, LostBatonAborts) {
  auto lose = [] {
    SimulatedWorld world(1, {.stall_seconds_max = 1});
    std::mutex mutex;
    auto hold = [&] {
      std::lock_guard lock(mutex);
      world.env().clock.SleepUs(1);
    };
    world.Spawn("main", "a", hold);
    world.Spawn("main", "b", hold);
    world.Run();
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(lose(), "baton is lost.*\n.*sleep");
}

TEST(SimulatedWorld, ThreadsOfACrashedProcessEndWhereverTheyWait) {
  for (uint64_t seed = 0; seed < 50; seed++) {
    SimulatedWorld world(seed);
    int ended = 0;
    struct Count {
      int& ended;
      ~Count() { ended++; }
    };
    auto result = world.Run([&] {
      Env env = world.env();
      auto bell = env.threads.NewSignal();
      auto waits = env.threads.Start("waits", ThreadPriority::kNormal, [&] { Count c{ended}; bell->Wait(); FAIL(); });
      auto sleeps = env.threads.Start("sleeps", ThreadPriority::kNormal, [&] { Count c{ended}; world.env().clock.SleepUs(kMicrosPerHour); FAIL(); });
      auto works = env.threads.Start("works", ThreadPriority::kNormal, [&] { Count c{ended}; for (;;) (void)world.env().files.Stat("/").ok(); });
      env.clock.SleepUs(1000);
      EXPECT_EQ(ended, 0);
      world.Crash();
    });
    EXPECT_TRUE(result.crashed());
    EXPECT_EQ(ended, 3);
  }
}

// Goal: destructors that run while a dead actor unwinds may call io and join; both come back at once.
TEST(SimulatedWorld, DestructorsOfADeadActorAreHarmless) {
  SimulatedWorld world(1);
  struct Cleaner {
    Env env;
    ~Cleaner() {
      EXPECT_EQ(env.files.Remove("/f").error().code, ErrorCode::kCancelled);
      EXPECT_EQ(env.files.Stat("/f").error().code, ErrorCode::kCancelled);
      EXPECT_FALSE(env.threads.NewSignal()->Wait(1000));
    }
  };
  WriteDurableFile(world.env().files, "/f", "x");
  world.Run([&] {
    Cleaner cleaner{world.env()};
    world.Crash(CrashKind::kProcess);
  });
  EXPECT_EQ(ReadFile(world.env().files, "/f").value(), "x");
}

TEST(SimulatedWorld, OneOfTwoServersCrashesAndIsRestarted) {
  SimulatedWorld world(3);
  int finished = 0, lives = 0;
  auto server = [&](const std::string& name) {
    return [&world, &finished, &lives, name] {
      Env env = world.env(name);
      lives++;
      for (int i = 0; i < 20; i++) ASSERT_TRUE(WriteFileAtomically(env.files, "/" + name, std::to_string(i)).ok());
      finished++;
    };
  };
  world.Spawn("a", "a", server("a"));
  world.Spawn("b", "b", server("b"));
  world.Spawn("", "driver", [&] {
    world.env("").clock.SleepUs(500);
    world.Crash(CrashKind::kProcess, "a");
    world.Spawn("a", "a again", server("a"));
  });
  auto result = world.Run();
  EXPECT_TRUE(result.crashed()) << result.report;
  EXPECT_EQ(lives, 3);
  EXPECT_EQ(finished, 2);
  EXPECT_EQ(ReadFile(world.env().files, "/a").value(), "19");
  EXPECT_EQ(ReadFile(world.env().files, "/b").value(), "19");
}

TEST(SimulatedWorld, FrozenServerDoesNothingUntilItsTimeIsOver) {
  SimulatedWorld world(5);
  int64_t gap_us = 0, other_steps = 0;
  bool done = false;
  world.Spawn("a", "a", [&] {
    auto env = world.env("a");
    for (int i = 0; i < 100; i++) {
      const int64_t before_ns = env.clock.MonotonicNs();
      env.clock.SleepUs(100);
      (void)env.files.Stat("/").ok();
      gap_us = std::max(gap_us, (env.clock.MonotonicNs() - before_ns) / 1'000);
    }
    done = true;
  });
  world.Spawn("b", "b", [&] {
    for (; !done; other_steps++) world.env("b").clock.SleepUs(100);
  });
  world.Spawn("", "driver", [&] {
    world.env("").clock.SleepUs(1'000);
    world.Freeze(50'000, "a");
  });
  EXPECT_TRUE(world.Run().finished());
  EXPECT_GE(gap_us, 50'000);
  EXPECT_GT(other_steps, 500);
}

TEST(SimulatedWorld, FrozenServerDiesLikeAnyOther) {
  SimulatedWorld world(6);
  world.Spawn("a", "a", [&] {
    for (;;) world.env("a").clock.SleepUs(100);
  });
  world.Spawn("", "driver", [&] {
    world.Freeze(3'600'000'000, "a");
    world.env("").clock.SleepUs(1'000);
    world.Crash(CrashKind::kProcess, "a");
  });
  EXPECT_TRUE(world.Run().crashed());
  EXPECT_LT(world.env("").clock.MonotonicNs(), 1'000'000'000);
}

// Method: a file that is synced in part; the clone goes another way than the original, and survives a power failure.
TEST(SimulatedWorld, CloneIsWhatWasThereAndGoesItsOwnWay) {
  SimulatedWorld world(7);
  auto& files = world.env("").files;  // of the world outside, which no crash reaches
  ASSERT_TRUE(files.CreateDirectories("/data/shared").ok());
  ASSERT_TRUE(WriteFileAtomically(files, "/data/f", "one").ok());
  ASSERT_TRUE(WriteFileAtomically(files, "/data/shared/g", "g").ok());
  ASSERT_TRUE(files.Open("/data/f", {.mode = OpenMode::kReadWrite}).value()->Write(3, " two").ok());  // not synced
  world.CloneTree("/data", "/clones/seen", "/data/shared", false);
  world.CloneTree("/data", "/clones/failed", "/data/shared", true);
  ASSERT_TRUE(WriteFileAtomically(files, "/data/f", "three").ok());
  world.Crash(CrashKind::kMachine);
  EXPECT_EQ(ReadFile(files, "/data/f").value(), "three");
  EXPECT_EQ(ReadFile(files, "/clones/seen/f").value(), "one two");
  EXPECT_TRUE(ReadFile(files, "/clones/failed/f").value().starts_with("one"));
  EXPECT_EQ(files.List("/clones/seen").value(), std::vector<std::string>{"f"}) << "what is shared was cloned, too";
}

// ---- faults --------------------------------------------------------------------------------------------------------------------------------------

TEST(SimulatedFaults, ReadWriteAndSyncErrorsHappenOnlyWhenAskedFor) {
  for (double probability : {0.0, 0.5}) {
    SimulatedWorld world(1, {.read_error = probability, .write_error = probability, .sync_error = probability});
    WriteDurableFile(world.env().files, "/f", "x");
    int reads = 0, writes = 0, syncs = 0;
    world.Run([&] {
      auto file = world.env().files.Open("/f", {.mode = OpenMode::kReadWrite}).value();
      char to[1];
      for (int i = 0; i < 100; i++) {
        reads += !file->Read(0, to).ok();
        writes += !file->Write(0, "y").ok();
        syncs += !file->Sync().ok();
      }
    });
    for (int failed : {reads, writes, syncs}) EXPECT_TRUE(probability == 0 ? failed == 0 : failed > 20 && failed < 80) << failed;
  }
}

// Goal: after a failed sync a repeated one that succeeds proves nothing. (What Linux does; PostgreSQL's fsync lesson of 2018.)
TEST(SimulatedFaults, FailedSyncMayLoseBytesForGood) {
  int lost = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed, {.sync_error = 0.5});
    WriteDurableFile(world.env().files, "/f", "old");
    bool failed = false, succeeded_later = false;
    world.Run([&] {
      auto file = world.env().files.Open("/f", {.mode = OpenMode::kReadWrite}).value();
      ASSERT_TRUE(file->Write(0, "new").ok());
      failed = !file->Sync().ok();
      succeeded_later = file->Sync().ok();
      EXPECT_EQ(ReadFile(world.env().files, "/f").value(), "new") << "reads still see it";
      world.Crash();
    });
    lost += failed && succeeded_later && ReadFile(world.env().files, "/f").value() == "old";
  }
  EXPECT_GT(lost, 0);
}

TEST(SimulatedFaults, DiskIsFullAtItsLimitPlusOne) {
  SimulatedWorld world(1, {.disk_bytes_max = 100});
  auto file = world.env().files.Open("/f", {.mode = OpenMode::kCreate}).value();
  EXPECT_TRUE(file->Write(0, std::string(100, 'x')).ok());
  EXPECT_EQ(world.env().files.Space("/")->free_bytes, 0u);
  EXPECT_TRUE(file->Write(0, std::string(100, 'y')).ok());
  EXPECT_EQ(file->Write(100, "z").error().code, ErrorCode::kExhausted);
  EXPECT_EQ(file->Truncate(101).error().code, ErrorCode::kExhausted);
  ASSERT_TRUE(file->Truncate(99).ok());
  EXPECT_TRUE(file->Write(99, "z").ok());
}

TEST(SimulatedFaults, CorruptByteSurvivesACrash) {
  SimulatedWorld world(1);
  WriteDurableFile(world.env().files, "/f", "abc");
  world.CorruptByte("/f", 1, 0x01);
  EXPECT_EQ(ReadFile(world.env().files, "/f").value(), "acc");
  world.Crash();
  EXPECT_EQ(ReadFile(world.env().files, "/f").value(), "acc");
}

TEST(SimulatedFaults, UnknownCatalogCommitsLandNeverAtOnceOrLate) {
  int at_once = 0, never = 0, late = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SimulatedWorld world(seed, {.catalog_unknown = 1, .catalog_late = true});
    ASSERT_TRUE(world.catalog().CreateTable("n", "t", "v1").ok());
    world.Run([&] {
      auto& catalog = world.catalog();
      EXPECT_EQ(catalog.SwapTable("n", "t", "v1", "v2").error().code, ErrorCode::kCommitUnknown);
      bool first = false, last = false;
      for (int i = 0; i < 20; i++) {
        last = catalog.LoadTable("n", "t").value()->metadata_location == "v2";
        if (i == 0) first = last;
      }
      (first ? at_once : last ? late : never)++;
    });
  }
  EXPECT_GT(at_once, 0);
  EXPECT_GT(never, 0);
  EXPECT_GT(late, 0);
}

TEST(SimulatedFaults, CatalogConflictIsAlwaysTrue) {
  SimulatedWorld world(1, {.catalog_unavailable = 0.3});
  ASSERT_TRUE(world.catalog().CreateTable("n", "t", "0").ok());
  int swapped = 0, conflicts = 0;
  auto committer = [&] {
    auto& catalog = world.catalog();
    for (int i = 0; i < 50; i++) {
      auto row = catalog.LoadTable("n", "t");
      if (!row.ok()) continue;
      auto moved = catalog.SwapTable("n", "t", (*row)->metadata_location, std::to_string(std::stoi((*row)->metadata_location) + 1));
      swapped += moved.ok();
      conflicts += !moved.ok() && moved.error().code == ErrorCode::kConflict;
    }
  };
  world.Spawn("a", "a", committer);
  world.Spawn("b", "b", committer);
  EXPECT_TRUE(world.Run().finished());
  EXPECT_GT(conflicts, 0);
  EXPECT_EQ(world.catalog().LoadTable("n", "t").value()->metadata_location, std::to_string(swapped));
}

TEST(SimulatedFaults, ObjectStoreIsUnavailableNowAndThen) {
  SimulatedWorld world(1, {.object_unavailable = 0.5});
  int unavailable = 0;
  world.Run([&] {
    for (int i = 0; i < 100; i++) {
      auto written = WriteObject(world.env().objects, "file:///o/" + std::to_string(i), "x");
      unavailable += !written.ok() && written.error().code == ErrorCode::kUnavailable;
    }
  });
  EXPECT_GT(unavailable, 20);
  EXPECT_LT(unavailable, 80);
}

TEST(SimulatedWorld, LogKeepsTheNewestLines) {
  SimulatedWorld world(1, {.log_lines_max = 2});
  for (int i = 1; i <= 3; i++) world.env().log.Info("line", {{"n", i}});
  ASSERT_EQ(world.log().size(), 2u);
  EXPECT_NE(world.log()[0].find("INFO line n=2"), std::string::npos);
  EXPECT_NE(world.log()[1].find("INFO line n=3"), std::string::npos);
}

TEST(SimulatedWorld, ProcessesAndSharedMemory) {
  SimulatedWorld world(1);
  EXPECT_EQ(world.env().processes.StartSelf({}, {}).error().code, ErrorCode::kUnavailable);
  auto region = world.env().memory.Create("hot", 4097).value();
  EXPECT_EQ(region->bytes().size(), 8192u);
  EXPECT_EQ(region->descriptor(), -1);
  auto ran = world.Run([&] {
    auto file = world.env().files.OpenUnnamed("/").value();
    ASSERT_TRUE(file->Write(0, "rows").ok());
    auto mapped = world.env().memory.MapFile(*file).value();
    EXPECT_EQ(std::string_view(mapped->view().data(), 4), "rows");
  });
  EXPECT_TRUE(ran.finished()) << ran.report;
}

}  // namespace
}  // namespace sluice::io
