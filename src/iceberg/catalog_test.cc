// SPDX-License-Identifier: Apache-2.0
#include "iceberg/catalog.h"

#include <gtest/gtest.h>

#include "iceberg/internal/table_testing.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/unreachable_files.h"

namespace sluice::iceberg {
namespace {

class CatalogTest : public testing::Test {
 protected:
  Table Create(NewTable table = TestTable()) { return *catalog.CreateTable(kTestTable, std::move(table)); }
  Table Load() { return *catalog.LoadTable(kTestTable); }
  TableChange Append(const std::string& name) { return AppendOf({TestFile("file:///data/" + name, "order", 1, 1, 10)}); }
  // Live paths and their sequence numbers in the current snapshot; a path twice fails the test.
  std::map<std::string, DataSequence> LiveFiles() {
    std::map<std::string, DataSequence> live;
    Table table = Load();
    auto manifests = ReadManifestList(world.objects, *table.metadata->current_snapshot());
    EXPECT_TRUE(manifests.ok());
    for (const ManifestFile& manifest : *manifests) {
      auto entries = ReadManifest(world.objects, manifest, *table.metadata);
      EXPECT_TRUE(entries.ok()) << entries.error().message;
      for (const ManifestEntry& entry : *entries) {
        if (!entry.is_live()) continue;
        EXPECT_TRUE(live.emplace(entry.file.path, *entry.sequence_number).second) << entry.file.path;
      }
    }
    return live;
  }
  // Every metadata object must be referred to by the current metadata file or its log.
  void ExpectNoOrphans() {
    Table table = Load();
    auto reachable = *ListReachable(world.objects, *table.metadata);
    std::set<std::string> known = reachable.manifests;
    known.merge(reachable.manifest_lists);
    known.insert(table.metadata_location);
    for (const MetadataLogEntry& entry : table.metadata->metadata_log) known.insert(entry.metadata_file);
    for (const auto& [uri, bytes] : world.objects.objects) EXPECT_TRUE(known.contains(uri)) << uri;
  }

  TestWorld world;
  Catalog catalog = world.catalog();
};

TEST_F(CatalogTest, CreatesATableThatLoads) {
  Table made = Create();
  EXPECT_TRUE(made.metadata_location.starts_with("file:///warehouse/bronze/events/metadata/00000-"));
  Table loaded = Load();
  EXPECT_EQ(*loaded.metadata, *made.metadata);
  EXPECT_EQ(loaded.metadata->Property("write.metadata.delete-after-commit.enabled", ""), "true");
  auto again = catalog.CreateTable(kTestTable, TestTable());
  EXPECT_EQ(again.error().code, ErrorCode::kExists);
  EXPECT_EQ(world.objects.objects.size(), 1U) << "the metadata of the refused table is removed";
}

TEST_F(CatalogTest, RefusesBadNamesAndMissingTables) {
  EXPECT_EQ(catalog.CreateTable({"bronze", ""}, TestTable()).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(catalog.CreateTable({"a..b", "t"}, TestTable()).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(catalog.CreateNamespace("a/b").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(catalog.LoadTable(kTestTable).error().code, ErrorCode::kNotFound);
}

TEST_F(CatalogTest, CommitsFilesAndPropertiesInOneMetadataFile) {
  Table base = Create();
  TableChange change = Append("a");
  change.set_properties["sluice.feed.raw-events"] = "10";
  change.snapshot->summary["sluice.feed.raw-events"] = "10";
  auto next = catalog.Commit(base, change);
  ASSERT_TRUE(next.ok()) << next.error().message;
  Table loaded = Load();
  EXPECT_EQ(loaded.metadata->Property("sluice.feed.raw-events", ""), "10");
  const Properties& summary = loaded.metadata->current_snapshot()->summary;
  EXPECT_EQ(summary.at("operation"), "append");
  EXPECT_EQ(summary.at("sluice.feed.raw-events"), "10");
  EXPECT_EQ(summary.at("total-records"), "10");
  EXPECT_EQ(summary.at("added-data-files"), "1");
  EXPECT_EQ(summary.at("total-delete-files"), "0");
  EXPECT_FALSE(summary.contains("added-delete-files"));
  EXPECT_EQ(loaded.metadata->metadata_log.back().metadata_file, base.metadata_location);
  EXPECT_EQ(LiveFiles(), (std::map<std::string, DataSequence>{{"file:///data/a", 1}}));
}

TEST_F(CatalogTest, RetriesAConflictWithTheSameManifest) {
  Table base = Create();
  world.store.before_swap = [&] { ASSERT_TRUE(world.catalog().Commit(base, Append("winner")).ok()); };
  ASSERT_TRUE(catalog.Commit(base, Append("late")).ok());
  EXPECT_EQ(LiveFiles(), (std::map<std::string, DataSequence>{{"file:///data/late", 2}, {"file:///data/winner", 1}}));
  EXPECT_EQ(world.objects.CountEndingWith("-m0.avro"), 2U) << "the retry wrote no manifest again";
  EXPECT_EQ(world.objects.CountEndingWith("-m1.avro"), 0U);
  ExpectNoOrphans();
}

TEST_F(CatalogTest, EvaluatesThePreconditionOnEveryRefreshedBase) {
  Table base = Create();
  TableChange winner = Append("winner");
  winner.set_properties["next"] = "10";
  world.store.before_swap = [&] { ASSERT_TRUE(world.catalog().Commit(base, winner).ok()); };
  int evaluated = 0;
  auto committed = catalog.Commit(base, Append("late"), [&](const TableMetadata& table) -> Result<void> {
    evaluated++;
    if (table.Property("next", "0") == "0") return {};
    return Error{ErrorCode::kConflict, "progress moved"};
  });
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().message, "progress moved");
  EXPECT_EQ(evaluated, 2);
  EXPECT_EQ(LiveFiles().size(), 1U);
  ExpectNoOrphans();
}

TEST_F(CatalogTest, GivesUpAfterTheRetriesThatTheTableAllows) {
  NewTable table = TestTable();
  table.properties["commit.retry.num-retries"] = "2";
  Table base = Create(table);
  // Each try of ours is beaten by another commit, which itself is not interfered with.
  int tries = 0;
  auto precondition = [&](const TableMetadata&) -> Result<void> {
    tries++;
    world.store.before_swap = [&] {
      TableChange other;
      other.set_properties["n"] = std::to_string(tries);
      ASSERT_TRUE(world.catalog().Commit(Load(), other).ok());
    };
    return {};
  };
  auto committed = catalog.Commit(base, Append("a"), precondition);
  EXPECT_EQ(committed.error().code, ErrorCode::kConflict);
  EXPECT_EQ(tries, 3);
  ExpectNoOrphans();
}

TEST_F(CatalogTest, SettlesAnUnknownOutcomeThatLanded) {
  Table base = Create();
  world.store.faults = {SwapFault::kUnknownLanded};
  auto committed = catalog.Commit(base, Append("a"));
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(world.store.swaps, 1);
  EXPECT_EQ(LiveFiles().size(), 1U);
}

TEST_F(CatalogTest, SettlesAnUnknownOutcomeThatWasLostByTheSameSwapAgain) {
  Table base = Create();
  world.store.faults = {SwapFault::kUnknownLost, SwapFault::kUnknownLost};
  auto committed = catalog.Commit(base, Append("a"));
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(world.store.swaps, 3);
  EXPECT_EQ(world.store.rows.begin()->second, committed->metadata_location);
  ExpectNoOrphans();
}

// Goal: an unknown outcome whose commit was overtaken is still recognised as landed.
// Method: the swap lands, another commit follows before the settling read.
TEST_F(CatalogTest, FindsItsCommitInTheLogOfALaterOne) {
  Table base = Create();
  world.store.faults = {SwapFault::kUnknownLanded};
  world.store.loads_that_fail = 1;
  auto before_retry = [&] { ASSERT_TRUE(world.catalog().Commit(Load(), Append("later")).ok()); };
  // The first load of the settling fails; the clock's sleep is where the other commit comes in.
  class SleepHook : public ManualClock {
   public:
    void SleepUs(int64_t n) override {
      us += n;
      if (hook) std::exchange(hook, nullptr)();
    }
    std::function<void()> hook;
  } clock;
  clock.hook = before_retry;
  io::Env e = world.env();
  io::Env hooked{e.files, e.objects, e.memory, clock, e.random, e.threads, e.log, e.metrics, e.processes, e.network};
  Catalog racing(world.store, hooked, {"file:///warehouse"});
  auto committed = racing.Commit(base, Append("a"));
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(LiveFiles().size(), 2U);
}

TEST_F(CatalogTest, TreatsAnUnknownOutcomeThatLostTheRaceAsAConflict) {
  Table base = Create();
  world.store.faults = {SwapFault::kNone, SwapFault::kUnknownLost};
  world.store.before_swap = [&] { ASSERT_TRUE(world.catalog().Commit(base, Append("winner")).ok()); };
  auto committed = catalog.Commit(base, Append("late"));
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(LiveFiles().size(), 2U);
  ExpectNoOrphans();
}

TEST_F(CatalogTest, RemovesNoFileWhileTheOutcomeIsUnknown) {
  Table base = Create();
  world.store.faults = {SwapFault::kUnknownLost};
  world.store.loads_that_fail = 1000;
  auto committed = catalog.Commit(base, Append("a"));
  ASSERT_EQ(committed.error().code, ErrorCode::kCommitUnknown);
  EXPECT_EQ(world.objects.CountEndingWith(".metadata.json"), 2U);
  EXPECT_EQ(world.objects.CountEndingWith(".avro"), 2U);
  world.store.loads_that_fail = 0;
  ASSERT_TRUE(catalog.Commit(base, Append("a")).ok()) << "the same files can be committed again";
  EXPECT_EQ(LiveFiles().size(), 1U);
}

TEST_F(CatalogTest, RemovesItsFilesAfterAKnownFailure) {
  Table base = Create();
  world.store.faults = {SwapFault::kUnavailable};
  EXPECT_EQ(catalog.Commit(base, Append("a")).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(world.objects.objects.size(), 1U);
}

TEST_F(CatalogTest, RefusesPathsThatAnotherAttemptBroughtIn) {
  Table base = Create();
  world.store.before_swap = [&] { ASSERT_TRUE(world.catalog().Commit(base, Append("same")).ok()); };
  EXPECT_EQ(catalog.Commit(base, Append("same")).error().code, ErrorCode::kConflict);
  EXPECT_EQ(LiveFiles().size(), 1U);
}

TEST_F(CatalogTest, RefusesATableThatWasMadeAnew) {
  Table base = Create();
  ASSERT_TRUE(catalog.DropTable(kTestTable).ok());
  Create();
  EXPECT_EQ(catalog.Commit(base, Append("a")).error().code, ErrorCode::kNotFound);
}

TEST_F(CatalogTest, MergesManifestsFromTheConfiguredCountOn) {
  NewTable table = TestTable();
  table.properties["commit.manifest.min-count-to-merge"] = "4";
  Table now = Create(table);
  for (int i = 1; i <= 3; i++) now = *catalog.Commit(now, Append(std::to_string(i)));
  EXPECT_EQ(ReadManifestList(world.objects, *now.metadata->current_snapshot())->size(), 3U);
  now = *catalog.Commit(now, Append("4"));
  auto manifests = *ReadManifestList(world.objects, *now.metadata->current_snapshot());
  ASSERT_EQ(manifests.size(), 1U);
  EXPECT_EQ(manifests[0].added_files_count, 1);
  EXPECT_EQ(manifests[0].existing_files_count, 3);
  EXPECT_EQ(manifests[0].min_sequence_number, 1);
  EXPECT_EQ(LiveFiles(), (std::map<std::string, DataSequence>{
                             {"file:///data/1", 1}, {"file:///data/2", 2}, {"file:///data/3", 3}, {"file:///data/4", 4}}));
  ExpectNoOrphans();
}

// Found by the simulator, whose other engine gave a table many columns and small manifests: the schema in front of a manifest was larger than
// what a manifest was to be, and a commit wrote empty ones without end.
TEST_F(CatalogTest, WritesAFileToEachManifestAtLeast) {
  NewTable table = TestTable();
  table.properties["commit.manifest.target-size-bytes"] = "1";
  table.properties["commit.manifest.min-count-to-merge"] = "1000";
  const Table now = *catalog.Commit(Create(table), AppendOf({TestFile("file:///data/a", "order", 1, 1, 10), TestFile("file:///data/b", "order", 1, 11, 20)}));
  EXPECT_EQ(ReadManifestList(world.objects, *now.metadata->current_snapshot())->size(), 2U);
  EXPECT_EQ(LiveFiles().size(), 2U);
  ExpectNoOrphans();
}

TEST_F(CatalogTest, RemovesFilesOnceAndKeepsOriginalSequenceNumbers) {
  Table now = *catalog.Commit(Create(), AppendOf({TestFile("file:///data/a", "order", 1, 1, 10), TestFile("file:///data/b", "order", 1, 11, 20)}));
  TableChange change;
  change.snapshot.emplace();
  change.snapshot->removed_paths = {"file:///data/a"};
  now = *catalog.Commit(now, change);
  EXPECT_EQ(LiveFiles(), (std::map<std::string, DataSequence>{{"file:///data/b", 1}}));
  const Properties& summary = now.metadata->current_snapshot()->summary;
  EXPECT_EQ(summary.at("operation"), "delete");
  EXPECT_EQ(summary.at("deleted-records"), "10");
  EXPECT_EQ(summary.at("total-data-files"), "1");
  EXPECT_EQ(catalog.Commit(now, change).error().code, ErrorCode::kConflict) << "it is not live any more";
}

TEST_F(CatalogTest, DeletesMetadataFilesThatFellOffTheLog) {
  NewTable table = TestTable();
  table.properties["write.metadata.previous-versions-max"] = "3";
  Table now = Create(table);
  for (int i = 0; i < 10; i++) {
    TableChange change;
    change.set_properties["i"] = std::to_string(i);
    now = *catalog.Commit(now, change);
  }
  EXPECT_EQ(now.metadata->metadata_log.size(), 3U);
  EXPECT_EQ(world.objects.CountEndingWith(".metadata.json"), 4U);
  EXPECT_TRUE(now.metadata_location.find("/00010-") != std::string::npos) << now.metadata_location;
}

TEST_F(CatalogTest, ExpiryListsExactlyWhatNobodyReadsAnyMore) {
  Table now = *catalog.Commit(Create(), Append("a"));
  TableChange replace = Append("b");
  replace.snapshot->removed_paths = {"file:///data/a"};
  now = *catalog.Commit(now, replace);
  now = *catalog.Commit(now, Append("c"));
  TableChange expire;
  expire.expire.emplace();
  expire.expire->older_than_ms = INT64_MAX;
  Table after = *catalog.Commit(now, expire);
  ASSERT_EQ(after.metadata->snapshots.size(), 1U);
  EXPECT_EQ(after.metadata->snapshot_log.size(), 1U);
  auto gone = ListUnreachable(world.objects, *now.metadata, *after.metadata);
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(gone->data_files, std::set<std::string>{"file:///data/a"});
  EXPECT_EQ(gone->manifest_lists.size(), 2U);
  EXPECT_EQ(gone->manifests.size(), 2U) << "the one that added a, and the one that says it left";
}

}  // namespace
}  // namespace sluice::iceberg
