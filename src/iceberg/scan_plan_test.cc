// SPDX-License-Identifier: Apache-2.0
#include "iceberg/scan_plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "iceberg/internal/table_testing.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;

class ScanPlanTest : public testing::Test {
 protected:
  void SetUp() override { now = *catalog.CreateTable(kTestTable, TestTable()); }
  void Commit(std::vector<DataFile> files) {
    auto next = catalog.Commit(now, AppendOf(std::move(files)));
    ASSERT_TRUE(next.ok()) << next.error().message;
    now = *next;
  }
  std::set<std::string> Plan(const std::vector<ColumnFilter>& filters) {
    plan = *PlanScan(world.objects, *now.metadata, *now.metadata->current_snapshot(), filters, &cache);
    std::set<std::string> paths;
    for (const ScanFile& file : plan.files) paths.insert(file.file->path);
    return paths;
  }
  DataFile Deletes(const std::string& path, FileContent content, const std::string& type, int64_t hour) {
    DataFile file = TestFile(path, type, hour, 1, 1);
    file.content = content;
    if (content == FileContent::kEqualityDeletes) file.equality_ids = {1};
    return file;
  }
  std::set<std::string> DeletesOf(const std::string& path) {
    Plan({});
    std::set<std::string> deletes;
    for (const ScanFile& file : plan.files) {
      for (const DataFile* d : file.deletes) {
        if (file.file->path == path) deletes.insert(d->path);
      }
    }
    return deletes;
  }

  using Paths = std::set<std::string>;
  TestWorld world;
  Catalog catalog = world.catalog();
  ManifestCache cache;
  Table now;
  ScanPlan plan;
};

TEST_F(ScanPlanTest, PrunesByPartitionThenByBounds) {
  Commit({TestFile("a", "order", 10, 1, 10), TestFile("b", "order", 11, 11, 20), TestFile("c", "click", 10, 21, 30)});
  EXPECT_EQ(Plan({}), (Paths{"a", "b", "c"}));
  EXPECT_EQ(plan.counts.records, 30);
  EXPECT_EQ(Plan({{2, FilterOp::kEqual, {Value(std::string("order"))}}}), (Paths{"a", "b"}));
  EXPECT_EQ(plan.counts.files_pruned_by_partition, 1);
  EXPECT_EQ(Plan({{1, FilterOp::kEqual, {Value(int64_t{15})}}}), (Paths{"b"}));
  EXPECT_EQ(plan.counts.files_pruned_by_bounds, 2);
  EXPECT_EQ(plan.counts.bytes_pruned, 2 * static_cast<uint64_t>(plan.files[0].file->file_size_bytes));
  EXPECT_EQ(Plan({{1, FilterOp::kIn, {Value(int64_t{10}), Value(int64_t{21})}}}), (Paths{"a", "c"}));
  EXPECT_EQ(Plan({{1, FilterOp::kGreater, {Value(int64_t{20})}}}), (Paths{"c"}));
  EXPECT_EQ(Plan({{1, FilterOp::kGreaterEqual, {Value(int64_t{20})}}}), (Paths{"b", "c"}));
  EXPECT_EQ(Plan({{1, FilterOp::kLess, {Value(int64_t{11})}}}), (Paths{"a"}));
  EXPECT_EQ(Plan({{1, FilterOp::kLessEqual, {Value(int64_t{11})}}}), (Paths{"a", "b"}));
  EXPECT_EQ(Plan({{1, FilterOp::kIsNull, {}}}), (Paths{}));
  EXPECT_EQ(Plan({{1, FilterOp::kEqual, {Value()}}}), (Paths{})) << "a comparison with null matches nothing";
  EXPECT_EQ(Plan({{99, FilterOp::kEqual, {Value(int64_t{1})}}}), (Paths{"a", "b", "c"})) << "an unknown column leaves nothing out";
}

TEST_F(ScanPlanTest, PrunesHoursByTheTimeInsideThem) {
  Commit({TestFile("before", "order", -1, 1, 1), TestFile("ten", "order", 10, 1, 1), TestFile("eleven", "order", 11, 1, 1)});
  auto time = [](FilterOp op, int64_t us) { return ColumnFilter{3, op, {Value(us)}}; };
  EXPECT_EQ(Plan({time(FilterOp::kEqual, 10 * kHourUs + 5)}), (Paths{"ten"}));
  EXPECT_EQ(Plan({time(FilterOp::kLess, 10 * kHourUs + 5)}), (Paths{"before", "ten"})) << "the constant's own hour stays";
  EXPECT_EQ(Plan({time(FilterOp::kGreater, 11 * kHourUs)}), (Paths{"eleven"}));
  EXPECT_EQ(Plan({time(FilterOp::kLess, 0)}), (Paths{
                                                  "before",
                                              }));
}

TEST_F(ScanPlanTest, SkipsWholeManifestsAndReadsTheOthersOnce) {
  Commit({TestFile("a", "click", 10, 1, 10)});
  Commit({TestFile("b", "order", 500, 1, 10)});
  EXPECT_EQ(Plan({{3, FilterOp::kGreaterEqual, {Value(400 * kHourUs)}}}), (Paths{"b"}));
  EXPECT_EQ(plan.counts.manifests_pruned, 1);
  EXPECT_EQ(plan.counts.files_pruned(), 1) << "the files of a pruned manifest count, too";
  EXPECT_EQ(plan.counts.manifests_read, 1);
  Plan({});
  Plan({});
  EXPECT_EQ(cache.misses(), 2U);
}

TEST_F(ScanPlanTest, PlansOldSpecsAfterEvolution) {
  Commit({TestFile("a", "order", 30, 1, 10)});
  TableChange change;
  change.set_spec = {{"id", {TransformKind::kBucket, 4}}};
  now = *catalog.Commit(now, change);
  DataFile file = TestFile("b", "order", 30, 1, 10);
  file.partition = {ApplyTransform({TransformKind::kBucket, 4}, Value(int64_t{5}), TypeId::kLong)};
  file.metrics = {};
  now = *catalog.Commit(now, AppendOf({file}, 1));
  EXPECT_EQ(Plan({{3, FilterOp::kLess, {Value(30 * kHourUs - 1)}}}), (Paths{"b"})) << "the old spec still prunes, the new one cannot";
  EXPECT_EQ(Plan({{1, FilterOp::kEqual, {Value(int64_t{5})}}}), (Paths{"a", "b"}));
  int64_t other = 6;
  while (ApplyTransform({TransformKind::kBucket, 4}, Value(other), TypeId::kLong) == file.partition[0]) other++;
  EXPECT_FALSE(Plan({{1, FilterOp::kEqual, {Value(other)}}}).contains("b"));
}

TEST_F(ScanPlanTest, PairsDeletesBySequenceAndPartition) {
  Commit({TestFile("old", "order", 10, 1, 10)});
  DataFile other = Deletes("other-partition", FileContent::kPositionDeletes, "order", 11);
  DataFile targeted = Deletes("targeted", FileContent::kPositionDeletes, "order", 10);
  targeted.referenced_data_file = "old";
  Commit({TestFile("same", "order", 10, 11, 20), Deletes("positions", FileContent::kPositionDeletes, "order", 10),
          Deletes("equality", FileContent::kEqualityDeletes, "order", 10), other, targeted});
  Commit({TestFile("new", "order", 10, 21, 30)});
  EXPECT_EQ(DeletesOf("old"), (Paths{"positions", "equality", "targeted"}));
  EXPECT_EQ(DeletesOf("same"), (Paths{"positions"})) << "equality deletes do not reach rows of their own commit";
  EXPECT_EQ(DeletesOf("new"), (Paths{}));
}

// NaN has no place in the order of doubles: in a map by that, its deletes were those of any other partition, and missing in its own.
TEST_F(ScanPlanTest, PairsDeletesOfThePartitionThatIsNoNumber) {
  TableChange change;
  change.add_columns = {{"ratio", TypeId::kDouble}};
  change.set_spec = {{"ratio", {TransformKind::kIdentity}}};
  now = *catalog.Commit(now, change);
  auto file = [&](const std::string& path, FileContent content, double ratio) {
    DataFile out = Deletes(path, content, "order", 10);
    out.partition = {Value(ratio)};
    return out;
  };
  const auto spec = now.metadata->default_spec_id;
  for (auto content : {FileContent::kData, FileContent::kPositionDeletes}) {
    const std::string prefix = content == FileContent::kData ? "" : "deletes-";
    auto nan = file(prefix + "nan", content, std::nan(""));
    now = *catalog.Commit(now, AppendOf({file(prefix + "one", content, 1), nan, file(prefix + "half", content, 0.5)}, spec));
  }
  for (const std::string path : {"one", "nan", "half"}) EXPECT_EQ(DeletesOf(path), (Paths{"deletes-" + path}));
  EXPECT_EQ(now.metadata->current_snapshot()->summary.at("changed-partition-count"), "3");
}

TEST(ColumnFilter, TreatsFloatsAsNumbers) {
  DataFile file;
  file.metrics.lower_bounds[1] = ValueToBytes(Value(-0.0), TypeId::kDouble);
  file.metrics.upper_bounds[1] = ValueToBytes(Value(-0.0), TypeId::kDouble);
  EXPECT_TRUE(FileMayMatch({1, FilterOp::kEqual, {Value(0.0)}}, TypeId::kDouble, file)) << "-0.0 equals 0.0";
  EXPECT_TRUE(FileMayMatch({1, FilterOp::kGreater, {Value(5.0)}}, TypeId::kDouble, file)) << "there may be NaN";
  file.metrics.nan_value_counts[1] = 0;
  EXPECT_FALSE(FileMayMatch({1, FilterOp::kGreater, {Value(5.0)}}, TypeId::kDouble, file));
  EXPECT_FALSE(FileMayMatch({1, FilterOp::kEqual, {Value(std::nan(""))}}, TypeId::kDouble, file));
}

TEST(ColumnFilter, ReadsBoundsFromBeforeAPromotion) {
  DataFile file;
  file.metrics.lower_bounds[1] = ValueToBytes(Value(int64_t{5}), TypeId::kInt);
  file.metrics.upper_bounds[1] = ValueToBytes(Value(int64_t{7}), TypeId::kInt);
  EXPECT_TRUE(FileMayMatch({1, FilterOp::kEqual, {Value(int64_t{6})}}, TypeId::kLong, file));
  EXPECT_FALSE(FileMayMatch({1, FilterOp::kEqual, {Value(int64_t{8})}}, TypeId::kLong, file));
}

TEST(ColumnFilter, LeavesOutFilesThatAreAllNull) {
  DataFile file;
  file.metrics.value_counts[1] = 3;
  file.metrics.null_value_counts[1] = 3;
  EXPECT_FALSE(FileMayMatch({1, FilterOp::kEqual, {Value(int64_t{6})}}, TypeId::kLong, file));
  EXPECT_FALSE(FileMayMatch({1, FilterOp::kIsNotNull, {}}, TypeId::kLong, file));
  EXPECT_TRUE(FileMayMatch({1, FilterOp::kIsNull, {}}, TypeId::kLong, file));
}

}  // namespace
}  // namespace sluice::iceberg
