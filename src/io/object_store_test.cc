// SPDX-License-Identifier: Apache-2.0
#include "io/object_store.h"

#include <gtest/gtest.h>

#include <set>

#include "io/file_system_twins.h"

namespace sluice::io {
namespace {

class ObjectStoreContract : public testing::TestWithParam<FileSystemTwin> {
 protected:
  std::string Uri(std::string_view name) { return PathToUri(base::JoinPath(twin_->directory(), name)); }
  std::set<std::string> Listed(const std::string& prefix) {
    std::set<std::string> uris;
    EXPECT_TRUE(objects_->List(prefix, [&](const ObjectInfo& info) { EXPECT_TRUE(uris.insert(info.uri).second); }).ok());
    return uris;
  }
  std::unique_ptr<FileSystemUnderTest> twin_ = MakeFileSystem(GetParam());
  std::unique_ptr<ObjectStore> objects_ = MakeFileObjectStore(twin_->files());
};
INSTANTIATE_TEST_SUITE_P(Twins, ObjectStoreContract, testing::Values(FileSystemTwin::kReal, FileSystemTwin::kSimulated),
                         [](auto& tested) { return FileSystemTwinName(tested.param); });

TEST_P(ObjectStoreContract, ObjectAppearsWholeAtFinish) {
  auto writer = objects_->Create(Uri("a/b/o")).value();
  ASSERT_TRUE(writer->Append("hello ").ok());
  ASSERT_TRUE(writer->Append("world").ok());
  EXPECT_EQ(writer->position(), 11u);
  EXPECT_EQ(objects_->Open(Uri("a/b/o")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Listed(Uri("")).empty());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(ReadObject(*objects_, Uri("a/b/o")).value(), "hello world");
  EXPECT_EQ(Listed(Uri("")), std::set<std::string>{Uri("a/b/o")});
}

TEST_P(ObjectStoreContract, WriterWithoutFinishLeavesNothing) {
  {
    auto writer = objects_->Create(Uri("d/o")).value();
    ASSERT_TRUE(writer->Append(std::string(1'000'000, 'x')).ok());
  }
  EXPECT_TRUE(twin_->files().List(base::JoinPath(twin_->directory(), "d")).value().empty());
}

// Goal: every cut of the bytes into appends gives the same object, around the size of the write buffer.
TEST_P(ObjectStoreContract, AppendsOfAnySizeGiveTheSameBytes) {
  constexpr size_t kBuffer = size_t{256} << 10;
  int n = 0;
  for (size_t first : {size_t{0}, size_t{1}, kBuffer - 1, kBuffer, kBuffer + 1})
    for (size_t second : {size_t{0}, size_t{1}, kBuffer - 1, kBuffer, kBuffer + 1}) {
      std::string a(first, 'a'), b(second, 'b'), uri = Uri("o" + std::to_string(n++));
      auto writer = objects_->Create(uri).value();
      ASSERT_TRUE(writer->Append(a).ok() && writer->Append(b).ok() && writer->Append("c").ok() && writer->Finish().ok());
      ASSERT_TRUE(ReadObject(*objects_, uri).value() == a + b + "c") << first << " " << second;
    }
}

TEST_P(ObjectStoreContract, NameIsUsedOnce) {
  ASSERT_TRUE(WriteObject(*objects_, Uri("o"), "first").ok());
  EXPECT_EQ(objects_->Create(Uri("o")).error().code, ErrorCode::kExists);
  EXPECT_EQ(ReadObject(*objects_, Uri("o")).value(), "first");
}

TEST_P(ObjectStoreContract, OfTwoWritersOfOneNameTheFirstWins) {
  auto first = objects_->Create(Uri("o")).value(), second = objects_->Create(Uri("o")).value();
  ASSERT_TRUE(first->Append("first").ok() && second->Append("second").ok());
  ASSERT_TRUE(first->Finish().ok());
  EXPECT_EQ(second->Finish().error().code, ErrorCode::kExists);
  second.reset();
  EXPECT_EQ(ReadObject(*objects_, Uri("o")).value(), "first");
  EXPECT_EQ(twin_->files().List(twin_->directory()).value(), std::vector<std::string>{"o"});
}

TEST_P(ObjectStoreContract, RangesAreReadAtPositions) {
  ASSERT_TRUE(WriteObject(*objects_, Uri("o"), "0123456789").ok());
  auto reader = objects_->Open(Uri("o")).value();
  EXPECT_EQ(reader->size(), 10u);
  char to[4];
  EXPECT_EQ(reader->Read(3, to).value(), 4u);
  EXPECT_EQ(std::string(to, 4), "3456");
  EXPECT_EQ(reader->Read(8, to).value(), 2u);
  EXPECT_EQ(reader->Read(10, to).value(), 0u);
  EXPECT_EQ(ReadObject(*objects_, Uri("o"), 9).error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(ReadObject(*objects_, Uri("o"), 10).ok());
}

TEST_P(ObjectStoreContract, RemoveRepeats) {
  ASSERT_TRUE(WriteObject(*objects_, Uri("o"), "x").ok());
  EXPECT_TRUE(objects_->Remove(Uri("o")).ok());
  EXPECT_TRUE(objects_->Remove(Uri("o")).ok());
  EXPECT_EQ(objects_->Open(Uri("o")).error().code, ErrorCode::kNotFound);
}

TEST_P(ObjectStoreContract, ListVisitsAllBelowAPrefix) {
  for (auto name : {"a/1", "a/b/2", "c/3"}) ASSERT_TRUE(WriteObject(*objects_, Uri(name), "x").ok());
  EXPECT_EQ(Listed(Uri("a/")), (std::set<std::string>{Uri("a/1"), Uri("a/b/2")}));
  EXPECT_TRUE(Listed(Uri("missing/")).empty());
}

TEST_P(ObjectStoreContract, DirectoryThatWasRemovedMeanwhileIsMadeAgain) {
  ASSERT_TRUE(WriteObject(*objects_, Uri("d/1"), "x").ok());
  ASSERT_TRUE(RemoveTree(twin_->files(), base::JoinPath(twin_->directory(), "d")).ok());
  EXPECT_TRUE(WriteObject(*objects_, Uri("d/1"), "x").ok());
}

TEST_P(ObjectStoreContract, LeftoversOfKilledWritersAreFoundAndSteppedOver) {
  auto& files = twin_->files();
  for (auto name : {".tmp-1", ".tmp-2"}) ASSERT_TRUE(WriteFileAtomically(files, base::JoinPath(twin_->directory(), name), "torn").ok());
  EXPECT_TRUE(Listed(Uri("")).empty());
  ASSERT_TRUE(WriteObject(*objects_, Uri("o"), "x").ok());
  ASSERT_TRUE(WriteObject(*objects_, Uri("d/o"), "x").ok());
  EXPECT_EQ(RemoveUnfinishedObjects(files, twin_->directory()).value(), 2u);
  EXPECT_EQ(Listed(Uri("")), (std::set<std::string>{Uri("d/o"), Uri("o")}));
  EXPECT_EQ(files.List(twin_->directory()).value(), (std::vector<std::string>{"d", "o"}));
}

TEST_P(ObjectStoreContract, UriOfAnotherStoreIsInvalid) {
  EXPECT_EQ(objects_->Create("s3://bucket/o").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(objects_->Open("file:relative").error().code, ErrorCode::kInvalid);
}

// Goal: an object whose Finish succeeded survives any crash, and no crash shows a part of one. Method: crash at every io call.
TEST(SimulatedObjects, CrashShowsAWholeObjectOrNone) {
  const std::string bytes(20'000, 'x');
  for (uint64_t seed = 0; seed < 10; seed++) {
    uint64_t io_count = 0;
    for (uint64_t crash_at = 0; crash_at <= io_count; crash_at++) {
      SimulatedWorld world(seed, {.crash_at_io = crash_at});
      bool finished = false;
      world.Run([&] {
        finished = WriteObject(world.env().objects, "file:///w/d/o", bytes).ok();
        (void)world.env().files.Stat("/").ok();  // something after the acknowledgement to crash at
      });
      if (crash_at == 0) io_count = world.io_count();
      auto read = ReadObject(world.env().objects, "file:///w/d/o");
      ASSERT_TRUE(read.ok() ? *read == bytes : !finished && read.error().code == ErrorCode::kNotFound)
          << "seed " << seed << " crash at " << crash_at;
    }
    EXPECT_GT(io_count, 5u);
  }
}

// Found by the simulator, with two servers on one warehouse: the start of one failed because the other finished its file meanwhile.
// Method: one process writes objects, another one clears away what looks unfinished.
TEST(SimulatedObjects, LeftoversThatAreNoneDoNotStopWhoClearsThemAway) {
  int vanished = 0;
  for (uint64_t seed = 0; seed < 100; seed++) {
    SimulatedWorld world(seed);
    ASSERT_TRUE(world.env().files.CreateDirectories("/w/d").ok());
    world.Spawn("writer", "writer", [&] {
      for (int i = 0; i < 5; i++) {
        auto written = WriteObject(world.env("writer").objects, "file:///w/d/" + std::to_string(i), "x");
        EXPECT_TRUE(written.ok() || written.error().code == ErrorCode::kUnavailable) << written.error().ToString();
        vanished += written.ok() ? 0 : 1;
      }
    });
    world.Spawn("starter", "starter", [&] {
      for (int i = 0; i < 5; i++) {
        auto removed = RemoveUnfinishedObjects(world.env("starter").files, "/w");
        EXPECT_TRUE(removed.ok()) << removed.error().ToString();
      }
    });
    EXPECT_TRUE(world.Run().finished());
  }
  EXPECT_GT(vanished, 0);
}

TEST(Uris, ConvertBothWays) {
  EXPECT_EQ(PathToUri("/a/b c"), "file:///a/b c");
  EXPECT_EQ(UriToPath("file:///a/b").value(), "/a/b");
  EXPECT_EQ(UriToPath("file:/a/b").value(), "/a/b");
  EXPECT_EQ(UriToPath("file://localhost/a").value(), "/a");
  for (auto bad : {"", "file:", "file:a", "file://host/a", "file:////a", "s3://b/k", "/a"})
    EXPECT_EQ(UriToPath(bad).error().code, ErrorCode::kInvalid) << bad;
}

}  // namespace
}  // namespace sluice::io
