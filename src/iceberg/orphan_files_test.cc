// SPDX-License-Identifier: Apache-2.0
#include "iceberg/orphan_files.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/time.h"
#include "iceberg/internal/table_testing.h"

namespace sluice::iceberg {
namespace {

constexpr char kLocation[] = "file:///warehouse/bronze/events";

class OrphanFilesTest : public testing::Test {
 protected:
  OrphanFilesTest() {
    base = *catalog.CreateTable(kTestTable, TestTable());
    world.store.namespaces.push_back("bronze");
  }
  std::string Put(const std::string& name, int64_t age_us = kMicrosPerDay + kMicrosPerHour, const std::string& bytes = "x") {
    std::string uri = std::string(kLocation) + "/" + name;
    world.objects.objects[uri] = bytes;
    world.objects.modified_us[uri] = world.clock.us - age_us;
    return uri;
  }
  OrphanFiles Find(const std::set<SnapshotId>& read = {}) {
    auto found = FindOrphans(catalog, world.objects, kTestTable, world.clock.us - kMicrosPerDay, read);
    EXPECT_TRUE(found.ok()) << found.error().ToString();
    return found.ok() ? std::move(*found) : OrphanFiles();
  }
  static std::vector<std::string> Uris(const OrphanFiles& orphans) {
    std::vector<std::string> out;
    for (auto& file : orphans.files) out.push_back(file.uri);
    return out;
  }
  void Append(const std::string& uri) {
    auto committed = catalog.Commit(base, AppendOf({TestFile(uri, "order", 1, 1, 10)}));
    ASSERT_TRUE(committed.ok()) << committed.error().ToString();
    base = *committed;
  }

  TestWorld world;
  Catalog catalog = world.catalog();
  Table base;
};

TEST_F(OrphanFilesTest, FindsWhatNobodyRefersToAndNothingElse) {
  Append(Put("data/type=order/a.parquet"));
  Append(Put("data/type=order/b.parquet"));
  const auto lost = Put("data/type=order/lost.parquet"), list = Put("metadata/snap-1-lost.avro"), manifest = Put("metadata/lost-m0.avro");
  auto found = Find();
  EXPECT_EQ(Uris(found), (std::vector<std::string>{lost, manifest, list}));
  EXPECT_EQ(found.bytes(), 3u);
  EXPECT_EQ(found.kept_because, "");
}

TEST_F(OrphanFilesTest, LeavesWhatIsYoung) {
  Put("data/just.parquet", kMicrosPerDay);
  const auto old = Put("data/old.parquet", kMicrosPerDay + 1);
  auto found = Find();
  EXPECT_EQ(Uris(found), std::vector<std::string>{old});
  EXPECT_EQ(found.young, 1u);
}

TEST_F(OrphanFilesTest, LeavesWhatIsNotOfTables) {
  Put("data/README.md");
  Put("notes/a.parquet");
  Put("metadata/version-hint.text");
  world.objects.objects["file:///warehouse/bronze/events2/data/a.parquet"] = "x";
  EXPECT_TRUE(Find().files.empty());
}

// Spark writes "file:/w/x" where others write "file:///w/x": compared as text, all of its files would be orphans.
TEST_F(OrphanFilesTest, KnowsAFileByAnySpellingOfItsPlace) {
  Put("data/type=order/spark.parquet");
  Append("file:/warehouse/bronze//events/data/type=order/spark.parquet");
  EXPECT_TRUE(Find().files.empty());
}

TEST_F(OrphanFilesTest, KeepsAllWhileACommitOfUnknownOutcomeMayLand) {
  const auto written = Put("data/late.parquet");
  world.store.faults = {SwapFault::kUnknownLost};
  world.store.loads_that_fail = 1000;
  ASSERT_EQ(catalog.Commit(base, AppendOf({TestFile(written, "order", 1, 1, 10)})).error().code, ErrorCode::kCommitUnknown);
  world.store.loads_that_fail = 0;
  for (auto& [uri, bytes] : world.objects.objects)
    if (!world.objects.modified_us.contains(uri)) world.objects.modified_us[uri] = world.clock.us;
  world.clock.us += 10 * kMicrosPerDay;
  auto found = Find();
  EXPECT_NE(found.kept_because.find("may still become one"), std::string::npos) << found.kept_because;
  base = *catalog.LoadTable(kTestTable);
  Append("file:///warehouse/bronze/events/data/next.parquet");  // moves the table: the other can never land
  found = Find();
  EXPECT_EQ(found.kept_because, "");
  EXPECT_EQ(found.files.size(), 4u) << "data file, manifest, manifest list, metadata";
}

TEST_F(OrphanFilesTest, KeepsAllWhereAnotherTableIsOrWas) {
  Put("data/old.parquet");
  world.store.rows[{"bronze", "twin"}] = base.metadata_location;
  EXPECT_NE(Find().kept_because.find("bronze.twin"), std::string::npos);
  world.store.rows.erase({"bronze", "twin"});
  EXPECT_EQ(Find().kept_because, "");
  // Dropped and made anew at the same place: somebody may want the old one back.
  Append("file:///warehouse/bronze/events/data/first.parquet");
  ASSERT_TRUE(catalog.DropTable(kTestTable).ok());
  const std::string old_metadata = base.metadata_location;
  world.objects.modified_us[old_metadata] = world.clock.us - 2 * kMicrosPerDay;
  base = *catalog.CreateTable(kTestTable, TestTable());
  EXPECT_NE(Find().kept_because.find("another table"), std::string::npos);
}

// Found by the simulator: a server that was killed while it made the table left such a file, and no orphan was removed ever after.
TEST_F(OrphanFilesTest, CreationThatNeverWasIsAnOrphanAndKeepsNothing) {
  const auto lost = Put("data/lost.parquet");
  Table other = *catalog.CreateTable({"bronze", "other"}, TestTable());
  const std::string bytes = world.objects.objects.at(other.metadata_location);
  const auto creation = Put("metadata/00000-0a1b2c3d.metadata.json", kMicrosPerDay + kMicrosPerHour, bytes);
  Append("file:///warehouse/bronze/events/data/first.parquet");
  auto found = Find();
  EXPECT_EQ(found.kept_because, "");
  EXPECT_EQ(Uris(found), (std::vector<std::string>{lost, creation}));
}

// A catalog that comes back from a backup while the server runs: the files of newer commits are not orphans. They were taken for such
// where the table keeps its old metadata files.
TEST_F(OrphanFilesTest, KeepsAllWhereTheCatalogWasSetBack) {
  for (const char* deletes_old_metadata : {"true", "false"}) {
    TableChange change;
    change.set_properties["write.metadata.delete-after-commit.enabled"] = deletes_old_metadata;
    base = *catalog.Commit(base, change);
    const std::string before = base.metadata_location;
    Append(Put(std::string("data/") + deletes_old_metadata + ".parquet"));
    for (auto& [uri, bytes] : world.objects.objects)
      if (!world.objects.modified_us.contains(uri)) world.objects.modified_us[uri] = world.clock.us;
    world.clock.us += 10 * kMicrosPerDay;
    const auto now = std::exchange(world.store.rows[{"bronze", "events"}], before);
    const auto found = Find();
    EXPECT_FALSE(found.files.empty());
    EXPECT_NE(found.kept_because.find("newer than its last commit"), std::string::npos) << deletes_old_metadata;
    world.store.rows[{"bronze", "events"}] = now;
  }
}

// Found by the simulator, seed 1300373: newer commits bore older times, because the clock had been set back; then the catalog answered once
// with what it had before them, and their files were removed.
TEST_F(OrphanFilesTest, KeepsAllWhereTheCatalogAndTheClockWereSetBack) {
  TableChange change;
  change.set_properties["write.metadata.delete-after-commit.enabled"] = "true";
  base = *catalog.Commit(base, change);
  const std::string before = base.metadata_location;
  Append(Put("data/a.parquet"));
  world.clock.us += 10 * kMicrosPerDay;
  for (auto& [uri, bytes] : world.objects.objects) world.objects.modified_us[uri] = 0;
  const auto snapshot = base.metadata->current_snapshot()->snapshot_id;
  EXPECT_TRUE(Find({snapshot}).files.empty());
  world.store.rows[{"bronze", "events"}] = before;
  EXPECT_NE(Find().kept_because.find("newer than its last commit"), std::string::npos);
  std::erase_if(world.objects.objects, [&](auto& object) { return object.first == base.metadata_location; });
  EXPECT_EQ(Find().kept_because, "") << "nothing tells of the newer commit";
  EXPECT_NE(Find({snapshot}).kept_because.find("may still be read"), std::string::npos);
}

TEST_F(OrphanFilesTest, KeepsAllOfATableThatSaysSo) {
  Put("data/old.parquet");
  TableChange change;
  change.set_properties["gc.enabled"] = "false";
  ASSERT_TRUE(catalog.Commit(base, change).ok());
  EXPECT_NE(Find().kept_because.find("gc.enabled"), std::string::npos);
}

}  // namespace
}  // namespace sluice::iceberg
