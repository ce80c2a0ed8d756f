// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_reader.h"

#include "iceberg/data_file_columns.h"
#include "iceberg/internal/data_file_testing.h"

namespace sluice::iceberg {
namespace {

using namespace testing;  // NOLINT: the fakes of these tests

const std::string kUri = "mem:///t/data/r.parquet";

// Writes with one schema and reads with another.
std::shared_ptr<::arrow::RecordBatch> ReadAs(const std::vector<ColumnText>& columns, const std::vector<NestedField>& wanted) {
  MemoryObjects objects;
  std::vector<NestedField> fields;
  for (const ColumnText& column : columns) fields.push_back(column.field);
  Must(WriteFile(objects, kUri, SchemaOf(fields), MakeColumns(columns)));
  return ReadFile(objects, kUri, SchemaOf(wanted))[0];
}

TEST(DataFileReader, ProjectsAndRenamesByFieldId) {
  auto batch = ReadAs({{{1, "a", TypeId::kLong}, "[1, 2]"}, {{2, "b", TypeId::kString}, R"(["x", null])"}}, {{2, "new name", TypeId::kString}});
  ASSERT_EQ(batch->num_columns(), 1);
  EXPECT_EQ(batch->schema()->field(0)->name(), "new name");
  EXPECT_EQ(internal::FieldIdOf(*batch->schema()->field(0)), 2);
  EXPECT_TRUE(batch->column(0)->Equals(ArrayOf(::arrow::utf8(), R"(["x", null])")));
}

TEST(DataFileReader, WidensPromotedColumns) {
  auto batch = ReadAs({{{1, "i", TypeId::kInt}, "[1, null]"}, {{2, "f", TypeId::kFloat}, "[1.5, null]"}, {{3, "d", Type::Decimal(8, 2)}, R"(["1.25", null])"}},
                      {{1, "i", TypeId::kLong}, {2, "f", TypeId::kDouble}, {3, "d", Type::Decimal(12, 2)}});
  EXPECT_TRUE(batch->column(0)->Equals(ArrayOf(::arrow::int64(), "[1, null]")));
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::float64(), "[1.5, null]")));
  EXPECT_TRUE(batch->column(2)->Equals(ArrayOf(::arrow::decimal128(12, 2), R"(["1.25", null])")));
}

TEST(DataFileReader, FillsColumnsThatCameLater) {
  NestedField nothing{2, "later", TypeId::kString}, text{3, "text", TypeId::kString, true}, number{4, "number", TypeId::kLong},
      decimal{5, "decimal", Type::Decimal(9, 2)}, at{6, "at", TypeId::kTimestampTz}, nested{7, "n", Type::List(8, TypeId::kInt, false)};
  text.initial_default = "none";
  number.initial_default = 42;
  decimal.initial_default = "1.50";
  at.initial_default = "1970-01-01T00:00:00.000001+00:00";
  auto batch = ReadAs({{{1, "a", TypeId::kLong}, "[1, 2]"}}, {nothing, text, number, decimal, at, nested});
  EXPECT_EQ(batch->column(0)->null_count(), 2);
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::utf8(), R"(["none", "none"])")));
  EXPECT_TRUE(batch->column(2)->Equals(ArrayOf(::arrow::int64(), "[42, 42]")));
  EXPECT_TRUE(batch->column(3)->Equals(ArrayOf(::arrow::decimal128(9, 2), R"(["1.50", "1.50"])")));
  EXPECT_TRUE(batch->column(4)->Equals(ArrayOf(::arrow::timestamp(::arrow::TimeUnit::MICRO, "UTC"), "[1, 1]")));
  EXPECT_EQ(batch->column(5)->null_count(), 2);
}

TEST(DataFileReader, FollowsChangesInsideNestedColumns) {
  Type before = Type::Struct({{2, "x", TypeId::kInt}, {3, "dropped", TypeId::kString}}), after = Type::Struct({{4, "added", TypeId::kString}, {2, "renamed", TypeId::kLong}});
  auto batch = ReadAs({{{1, "s", before}, R"([{"x": 1, "dropped": "a"}, null])"}, {{5, "l", Type::List(6, TypeId::kInt, false)}, "[[1, 2], []]"},
                       {{7, "m", Type::Map(8, TypeId::kString, 9, TypeId::kFloat, false)}, R"([[["k", 1.5]], null])"}},
                      {{1, "s", after}, {5, "l", Type::List(6, TypeId::kLong, false)}, {7, "m", Type::Map(8, TypeId::kString, 9, TypeId::kDouble, false)}});
  EXPECT_TRUE(batch->column(0)->Equals(ArrayOf(internal::MakeArrowType(after), R"([{"added": null, "renamed": 1}, null])")));
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::list(::arrow::field("element", ::arrow::int64())), "[[1, 2], []]")));
  EXPECT_TRUE(batch->column(2)->Equals(ArrayOf(batch->column(2)->type(), R"([[["k", 1.5]], null])")));
}

TEST(DataFileReader, RefusesWhatCannotBeRead) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong};
  Must(WriteFile(objects, kUri, SchemaOf({id}), MakeColumns({{id, "[1]"}})));
  auto narrow = Must(DataFileReader::Open(Must(objects.Open(kUri)), SchemaOf({{1, "id", TypeId::kInt}})));
  EXPECT_EQ(narrow->ReadRowGroup(0).error().code, ErrorCode::kCorruption);
  auto required = Must(DataFileReader::Open(Must(objects.Open(kUri)), SchemaOf({{2, "other", TypeId::kInt, true}})));
  EXPECT_EQ(required->ReadRowGroup(0).error().code, ErrorCode::kInvalid);
}

TEST(DataFileReader, ReportsDamageAsCorruptionAndIoErrorsAsTheyAre) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong};
  Must(WriteFile(objects, kUri, SchemaOf({id}), MakeColumns({{id, "[1]"}})));
  const std::string whole = objects.objects.at(kUri);
  for (size_t size = 0; size < whole.size(); size++) {
    objects.objects["cut"] = whole.substr(0, size);
    auto opened = DataFileReader::Open(Must(objects.Open("cut")), SchemaOf({id}));
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
  }
  auto object = Must(objects.Open(kUri));
  objects.fail_reads = true;
  objects.failure = Error{ErrorCode::kUnavailable, "later"};
  EXPECT_EQ(DataFileReader::Open(std::move(object), SchemaOf({id})).error().code, ErrorCode::kUnavailable);
}

// Found by fuzzing: 181 bytes say that they have 158 million rows, and columns that a file does not have are made of so many nulls.
TEST(DataFileReader, RowsThatAreOnlySaidCostNoMemory) {
  const char bytes[] =
      "P\x06\x19\x1c\x19\x1c&\x00\x15\x04\x19,5\x00\x18\x05table\x15\x02\x00\x15\x04%\x02\x18\x01\x62%\x00\x35\x04\x1c\x1c"
      "\x00\x00\x00\x16\x06\x19\x1c\x19\x1c&\x00\x1c\x15\x0c\x19\x35\x00\x06\x10\x19\x18\x01\x62\x15\x0c\x16\x06\x16r\x16\x96"
      "\x01&L&\x08\x1c\x36\x02(\x01x\x18\x01x\x11\x11\x00\x19,\x15\x04\x15\x00\x15\x02\x00\x15\x00\x15\x10\x15\x02\x00<\x16"
      "\x04\x19\x06\x19&\x02\x04\x00\x00\x16\xc8\x01\x15\x1a\x16\x9e\x01\x15*\x00\x16r\x16\xfa\xd9\xf7\xe8\x96\x01\x00( parqu"
      "et-cpp-arrow version 2&\x00\x1c.1\x19\x1c\x1c\x00\x00\x00\xa5\x00\x00\x00PAR1";
  MemoryObjects objects;
  objects.objects[kUri] = std::string(bytes, sizeof bytes - 1);
  auto reader = Must(DataFileReader::Open(Must(objects.Open(kUri)), SchemaOf({{7, "x", TypeId::kLong}})));
  EXPECT_GT(reader->rows(), 100'000'000);
  EXPECT_EQ(reader->ReadRowGroup(0).error().code, ErrorCode::kInvalid);
}

TEST(DataFileColumns, FieldIdsGoThroughArrowMetadata) {
  std::string metadata = EncodeFieldIdMetadata(2147483647);
  EXPECT_EQ(FieldIdFromMetadata(metadata.data()), 2147483647);
  EXPECT_EQ(FieldIdFromMetadata(nullptr), std::nullopt);
  Columns columns = MakeColumns({{{7, "a", TypeId::kLong}, "[1]"}, {{9, "b", TypeId::kLong}, "[1]"}});
  EXPECT_EQ(FindChildByFieldId(columns.schema(), 9), 1);
  EXPECT_EQ(FindChildByFieldId(columns.schema(), 8), -1);
}

}  // namespace
}  // namespace sluice::iceberg
