// SPDX-License-Identifier: Apache-2.0
#include "iceberg/table_change.h"

#include <gtest/gtest.h>

#include "iceberg/expire_snapshots.h"
#include "iceberg/internal/table_testing.h"
#include "iceberg/snapshot_history.h"

namespace sluice::iceberg {
namespace {

TableMetadata Make() {
  NewTable table = TestTable();
  table.location = "file:///t";
  return *MakeTableMetadata(table, 1000);
}

// A chain of snapshots 1..n on main, made at 1000, 2000, ... ms.
TableMetadata MakeWithSnapshots(int n) {
  TableMetadata table = Make();
  TableChange append = AppendOf({});
  for (int i = 1; i <= n; i++) {
    Snapshot snapshot;
    snapshot.snapshot_id = i;
    if (i > 1) snapshot.parent_snapshot_id = i - 1;
    snapshot.sequence_number = i;
    snapshot.timestamp_ms = i * 1000;
    snapshot.manifest_list = "file:///t/" + std::to_string(i);
    snapshot.summary = {{"operation", "append"}};
    table = *Apply(table, append, &snapshot, i * 1000);
  }
  return table;
}

std::set<SnapshotId> Expired(const TableMetadata& table, const SnapshotExpiry& expiry, int64_t now_ms = 1'000'000'000) {
  auto expired = SnapshotsToExpire(table, expiry, now_ms);
  EXPECT_TRUE(expired.ok());
  return expired->snapshots;
}

TEST(TableChange, AddsColumnsWithFreshIdsAndKeepsTheOldSchema) {
  TableMetadata table = Make();
  TableChange change;
  change.add_columns = {{"tags", Type::List(0, TypeId::kString, false)}, {"note", TypeId::kString, "a note"}};
  ASSERT_TRUE(CanApply(table, change).ok());
  TableMetadata next = *Apply(table, change, nullptr, 2000);
  EXPECT_EQ(next.schemas.size(), 2U);
  EXPECT_EQ(next.schema().FindByName("tags")->id, 4);
  EXPECT_EQ(next.schema().FindByName("note")->id, 5);
  EXPECT_EQ(next.schema().FindByName("tags.element")->id, 6);
  EXPECT_EQ(next.last_column_id, 6);
  EXPECT_FALSE(next.schema().FindByName("note")->required);
  change.add_columns = {{"id", TypeId::kString}};
  EXPECT_EQ(CanApply(table, change).error().code, ErrorCode::kInvalid);
}

TEST(TableChange, ReusesSpecsAndPartitionFieldIds) {
  TableMetadata table = Make();
  TableChange day, hour;
  day.set_spec = {{"type", {TransformKind::kIdentity}}, {"time", {TransformKind::kDay}}};
  hour.set_spec = {{"type", {TransformKind::kIdentity}}, {"time", {TransformKind::kHour}}};
  TableMetadata next = *Apply(table, day, nullptr, 0);
  EXPECT_EQ(next.default_spec_id, 1);
  EXPECT_EQ(next.spec().fields[0].field_id, 1000);
  EXPECT_EQ(next.spec().fields[1].field_id, 1002);
  next = *Apply(next, hour, nullptr, 0);
  EXPECT_EQ(next.default_spec_id, 0) << "an equal spec is not added twice";
  EXPECT_EQ(next.partition_specs.size(), 2U);
  EXPECT_EQ(next.last_partition_id, 1002);
}

TEST(TableChange, RefusesSpecsThatReadersRefuse) {
  TableMetadata table = Make();
  for (std::vector<NewPartitionField> fields : std::initializer_list<std::vector<NewPartitionField>>{
           {{"nothing", {TransformKind::kIdentity}}},
           {{"type", {TransformKind::kHour}}},
           {{"time", {TransformKind::kHour}}, {"time", {TransformKind::kDay}}},
           {{"time", {TransformKind::kHour}, "id"}},
           {{"type", ParseTransform("zorder")}}}) {
    TableChange change;
    change.set_spec = fields;
    EXPECT_EQ(CanApply(table, change).error().code, ErrorCode::kInvalid);
  }
}

TEST(TableChange, RefusesReservedAndContradictingProperties) {
  TableChange change;
  change.set_properties["current-snapshot-id"] = "1";
  EXPECT_EQ(CanApply(Make(), change).error().code, ErrorCode::kInvalid);
  change.set_properties = {{"a", "1"}};
  change.remove_properties = {"a"};
  EXPECT_EQ(CanApply(Make(), change).error().code, ErrorCode::kInvalid);
}

TEST(TableChange, RefusesFilesOfAnotherPartitionShape) {
  TableChange change = AppendOf({TestFile("f", "order", 1, 1, 1)}, 7);
  EXPECT_EQ(CanApply(Make(), change).error().code, ErrorCode::kInvalid);
  change = AppendOf({TestFile("f", "order", 1, 1, 1)});
  EXPECT_TRUE(CanApply(Make(), change).ok());
  change.snapshot->added[0].file.partition = {Value(int64_t{1}), Value(int64_t{1})};
  EXPECT_EQ(CanApply(Make(), change).error().code, ErrorCode::kInvalid);
  change.snapshot->added[0].file.partition.pop_back();
  EXPECT_EQ(CanApply(Make(), change).error().code, ErrorCode::kInvalid);
}

TEST(TableChange, NeverGoesBackInTime) {
  TableMetadata table = MakeWithSnapshots(3);
  TableChange change;
  change.set_properties["a"] = "1";
  EXPECT_EQ(Apply(table, change, nullptr, 10)->last_updated_ms, 3000);
}

TEST(TableChange, RollsBackWithoutLosingHistory) {
  TableMetadata table = MakeWithSnapshots(3);
  TableChange change;
  change.set_current_snapshot = 1;
  TableMetadata next = *Apply(table, change, nullptr, 5000);
  EXPECT_EQ(next.current_snapshot()->snapshot_id, 1);
  EXPECT_EQ(next.refs.at("main").snapshot_id, 1);
  EXPECT_EQ((*SnapshotAt(next, 4999))->snapshot_id, 3);
  EXPECT_EQ((*SnapshotAt(next, 5000))->snapshot_id, 1);
  EXPECT_EQ(SnapshotAt(next, 999).error().code, ErrorCode::kNotFound);
  auto history = History(next);
  ASSERT_EQ(history.size(), 4U);
  EXPECT_TRUE(history[0].is_current_ancestor);
  EXPECT_FALSE(history[1].is_current_ancestor);
}

TEST(TableChange, ConflictsWithWhatHappenedSinceItWasPlanned) {
  TableMetadata table = MakeWithSnapshots(3);
  TableChange change = AppendOf({});
  change.snapshot->based_on = 2;
  EXPECT_TRUE(CanApply(table, change).ok()) << "an append does not disturb";
  change.snapshot->refuse_new_rows = true;
  EXPECT_EQ(CanApply(table, change).error().code, ErrorCode::kConflict);
  change.snapshot->refuse_new_rows = false;
  table.snapshots[2].summary["operation"] = "overwrite";
  EXPECT_EQ(CanApply(table, change).error().code, ErrorCode::kConflict);
  change.snapshot->based_on = 99;
  table.snapshots[2].summary["operation"] = "append";
  EXPECT_EQ(CanApply(table, change).error().code, ErrorCode::kConflict) << "no ancestor";
}

TEST(Expiry, KeepsTheYoungAndTheNewestFew) {
  TableMetadata table = MakeWithSnapshots(5);
  EXPECT_EQ(Expired(table, {.older_than_ms = 3000}), (std::set<SnapshotId>{1, 2}));
  EXPECT_EQ(Expired(table, {.older_than_ms = INT64_MAX}), (std::set<SnapshotId>{1, 2, 3, 4}));
  EXPECT_EQ(Expired(table, {.older_than_ms = INT64_MAX, .retain_last = 3}), (std::set<SnapshotId>{1, 2}));
  table.properties["history.expire.min-snapshots-to-keep"] = "4";
  EXPECT_EQ(Expired(table, {}), (std::set<SnapshotId>{1}));
}

TEST(Expiry, KeepsTagsAndBranchesAndNamedProgress) {
  TableMetadata table = MakeWithSnapshots(5);
  table.refs["audit"] = SnapshotRef{2, false};
  table.snapshots[2].summary["feed"] = "x";
  EXPECT_EQ(Expired(table, {.older_than_ms = INT64_MAX, .keep_newest_with = {"feed"}}), (std::set<SnapshotId>{1, 4}));
  table.refs["audit"].max_ref_age_ms = 10;
  auto expired = *SnapshotsToExpire(table, {.older_than_ms = INT64_MAX}, 1'000'000);
  EXPECT_EQ(expired.refs, std::vector<std::string>{"audit"});
  EXPECT_EQ(expired.snapshots, (std::set<SnapshotId>{1, 2, 3, 4}));
}

// Source: Iceberg table spec, "Snapshot References": max-ref-age-ms defaults to the table's property.
TEST(Expiry, RemovesRefsThatAreOlderThanTheTableAllows) {
  TableMetadata table = MakeWithSnapshots(5);
  table.refs["audit"] = SnapshotRef{2, false};
  table.refs["release"] = SnapshotRef{3, false, {}, {}, 4'000};
  table.properties["history.expire.max-ref-age-ms"] = "3000";
  EXPECT_EQ(SnapshotsToExpire(table, {}, 5'000)->refs, std::vector<std::string>{});
  EXPECT_EQ(SnapshotsToExpire(table, {}, 5'001)->refs, std::vector<std::string>{"audit"});
  EXPECT_EQ(SnapshotsToExpire(table, {}, 7'001)->refs, (std::vector<std::string>{"audit", "release"}));
}

TEST(Expiry, CutsTheSnapshotLogAndStatistics) {
  TableMetadata table = MakeWithSnapshots(5);
  table.statistics = *Json::Parse(R"([{"snapshot-id":2,"statistics-path":"a"},{"snapshot-id":5,"statistics-path":"b"}])");
  TableChange change;
  change.expire = SnapshotExpiry{.older_than_ms = 4000, .retain_last = {}, .snapshot_ids = {}};
  TableMetadata next = *Apply(table, change, nullptr, 6000);
  ASSERT_EQ(next.snapshot_log.size(), 2U);
  EXPECT_EQ(next.snapshot_log[0].snapshot_id, 4);
  EXPECT_EQ(next.statistics.AsArray().size(), 1U);
  EXPECT_EQ(next.current_snapshot()->snapshot_id, 5);
}

TEST(Expiry, EndsWhereParentsGoRoundInACircle) {
  TableMetadata table = MakeWithSnapshots(3);
  table.snapshots[0].parent_snapshot_id = 3;
  EXPECT_EQ(AncestorsOf(table, 3).size(), 3U);
  EXPECT_EQ(Expired(table, {.older_than_ms = INT64_MAX}), (std::set<SnapshotId>{1, 2}));
}

TEST(Expiry, RefusesWhatIsHeldOrForbidden) {
  TableMetadata table = MakeWithSnapshots(2);
  EXPECT_EQ(SnapshotsToExpire(table, {.older_than_ms = 0, .retain_last = {}, .snapshot_ids = {2}}, 0).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(SnapshotsToExpire(table, {.older_than_ms = 0, .retain_last = {}, .snapshot_ids = {9}}, 0).error().code, ErrorCode::kInvalid);
  table.properties["gc.enabled"] = "false";
  EXPECT_EQ(SnapshotsToExpire(table, {}, 0).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace sluice::iceberg
