// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_writer.h"

#include "iceberg/internal/data_file_testing.h"

namespace sluice::iceberg {
namespace {

using namespace testing;  // NOLINT: the fakes of these tests

const std::string kUri = "mem:///t/data/a.parquet";

// Goal: what is read is what was written, for one column of any type.
// Method: write the values as they come, read the file back and compare with the same JSON in the table's own type.
void ExpectRoundTrip(const NestedField& field, const std::string& json, std::shared_ptr<::arrow::DataType> as = nullptr) {
  MemoryObjects objects;
  TableSchema schema = SchemaOf({field});
  Must(WriteFile(objects, kUri, schema, MakeColumns({{field, json, as}})));
  auto batches = ReadFile(objects, kUri, schema);
  ASSERT_EQ(batches.size(), 1u);
  auto expected = ArrayOf(internal::MakeArrowType(field.type), json);
  EXPECT_TRUE(batches[0]->column(0)->Equals(expected, ::arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false)))
      << field.type.ToString() << "\n" << batches[0]->column(0)->ToString() << "\nexpected\n" << expected->ToString();
}

NestedField Optional(Type type) { return {1, "c", std::move(type)}; }
NestedField Required(Type type) { return {1, "c", std::move(type), true}; }

TEST(DataFileWriter, RoundTripsNumbers) {
  ExpectRoundTrip(Optional(TypeId::kBoolean), "[true, null, false, true, true, null, false, false, true]");
  ExpectRoundTrip(Required(TypeId::kBoolean), "[true, false, true]");
  ExpectRoundTrip(Optional(TypeId::kInt), "[1, null, -2147483648, 2147483647]");
  ExpectRoundTrip(Optional(TypeId::kLong), "[1, null, -9223372036854775808, 9223372036854775807]");
  ExpectRoundTrip(Required(TypeId::kLong), "[1, 2, 3]");
  ExpectRoundTrip(Optional(TypeId::kFloat), "[1.5, null, NaN, -0.0, 0.0, Inf, -Inf]");
  ExpectRoundTrip(Optional(TypeId::kDouble), "[1.5, null, NaN, -0.0, 0.0, Inf, -Inf]");
  ExpectRoundTrip(Optional(TypeId::kDate), "[0, -1, null, 20000]");
  ExpectRoundTrip(Optional(TypeId::kTime), "[0, null, 86399999999]");
  ExpectRoundTrip(Optional(TypeId::kTimestamp), "[0, -1, null, 1768435200000000]");
  ExpectRoundTrip(Required(TypeId::kTimestampTz), "[0, -1, 1768435200000000]");
}

TEST(DataFileWriter, RoundTripsDecimalsOfEveryWidth) {
  ExpectRoundTrip(Optional(Type::Decimal(9, 2)), R"(["1234567.89", null, "-0.01", "-9999999.99"])");
  ExpectRoundTrip(Optional(Type::Decimal(10, 2)), R"(["12345678.90", null, "-99999999.99"])");
  ExpectRoundTrip(Optional(Type::Decimal(18, 0)), R"(["999999999999999999", null, "-999999999999999999"])");
  ExpectRoundTrip(Optional(Type::Decimal(19, 0)), R"(["9999999999999999999", null, "-9999999999999999999"])");
  ExpectRoundTrip(Required(Type::Decimal(38, 10)), R"(["9999999999999999999999999999.9999999999", "-1.0000000001", "0.0000000000"])");
}

TEST(DataFileWriter, RoundTripsStringsOfEveryLayout) {
  const std::string json = R"(["", null, "a", "twelve bytes", "thirteen bytes", "\u0000x", "😀 émoji", "a much longer string that no view holds inline"])";
  for (auto as : {::arrow::utf8(), ::arrow::large_utf8(), ::arrow::utf8_view()}) ExpectRoundTrip(Optional(TypeId::kString), json, as);
  for (auto as : {::arrow::binary(), ::arrow::large_binary(), ::arrow::binary_view()}) ExpectRoundTrip(Optional(TypeId::kBinary), json, as);
  ExpectRoundTrip(Required(TypeId::kString), R"(["b", "", "a"])", ::arrow::utf8_view());
  ExpectRoundTrip(Optional(TypeId::kUuid), R"(["0123456789abcdef", null, "fedcba9876543210"])");
  ExpectRoundTrip(Optional(Type::Fixed(3)), R"(["abc", null, "xyz"])");
}

TEST(DataFileWriter, TakesNarrowerNumbersThanTheTableHas) {
  ExpectRoundTrip(Optional(TypeId::kLong), "[1, null, -5]", ::arrow::int32());
  ExpectRoundTrip(Optional(TypeId::kDouble), "[1.5, null, -5]", ::arrow::float32());
  ExpectRoundTrip(Optional(Type::Decimal(20, 2)), R"(["1.50", null])", ::arrow::decimal128(8, 2));
  ExpectRoundTrip(Optional(TypeId::kTimestampTz), "[1, null]", ::arrow::timestamp(::arrow::TimeUnit::MICRO, "Europe/Berlin"));
}

TEST(DataFileWriter, RoundTripsMaps) {
  const std::string json = R"([[["a", "1"], ["b", null], ["c", ""]], null, [], [["only", "one"]]])";
  NestedField map = Optional(Type::Map(2, TypeId::kString, 3, TypeId::kString, false));
  ExpectRoundTrip(map, json);
  ExpectRoundTrip(map, json, ::arrow::map(::arrow::utf8_view(), ::arrow::utf8_view()));
  ExpectRoundTrip(map, "[null, null]");
  ExpectRoundTrip(map, "[[], []]");
  ExpectRoundTrip(Required(Type::Map(2, TypeId::kString, 3, TypeId::kLong, true)), R"([[["a", 1], ["b", 2]], []])");
}

TEST(DataFileWriter, RoundTripsListsAndStructs) {
  ExpectRoundTrip(Optional(Type::List(2, TypeId::kInt, false)), "[[1, null, 3], null, [], [null], [4]]");
  ExpectRoundTrip(Required(Type::List(2, TypeId::kString, true)), R"([["a", "b"], [], [""]])");
  ExpectRoundTrip(Optional(Type::List(2, TypeId::kString, false)), R"([["a", null], null])", ::arrow::large_list(::arrow::utf8()));
  ExpectRoundTrip(Optional(Type::List(2, Type::List(3, TypeId::kLong, false), false)), "[[[1, 2], [], null, [3]], null, [], [[null]]]");
  auto point = Type::Struct({{2, "x", TypeId::kInt, true}, {3, "y", TypeId::kDouble}, {4, "tags", Type::List(5, TypeId::kString, false)}});
  ExpectRoundTrip(Optional(point), R"([{"x": 1, "y": 2.5, "tags": ["a"]}, null, {"x": 3, "y": null, "tags": null}])");
  ExpectRoundTrip(Optional(Type::List(9, point, false)), R"([[{"x": 1, "y": 2.5, "tags": ["a", "b"]}, null], [], null])");
}

TEST(DataFileWriter, WritesMissingAndNullTypedColumnsAsNull) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong, true}, gone{2, "gone", TypeId::kString}, map{3, "m", Type::Map(4, TypeId::kString, 5, TypeId::kString, false)},
      untyped{6, "untyped", TypeId::kDouble};
  TableSchema schema = SchemaOf({gone, id, map, untyped});
  auto written = Must(WriteFile(objects, kUri, schema, MakeColumns({{id, "[7, 8]"}, {untyped, "[null, null]", ::arrow::null()}})));
  auto batch = ReadFile(objects, kUri, schema)[0];
  EXPECT_EQ(batch->column(0)->null_count(), 2);
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::int64(), "[7, 8]")));
  EXPECT_EQ(batch->column(2)->null_count(), 2);
  EXPECT_EQ(batch->column(3)->null_count(), 2);
  EXPECT_EQ(written.file.metrics.null_value_counts.at(2), 2);
  EXPECT_FALSE(written.file.metrics.lower_bounds.contains(2));
}

TEST(DataFileWriter, FindsColumnsByFieldIdNotByName) {
  MemoryObjects objects;
  NestedField a{1, "a", TypeId::kLong}, b{2, "b", TypeId::kLong}, renamed{2, "a", TypeId::kLong}, stranger{9, "b", TypeId::kLong};
  Must(WriteFile(objects, kUri, SchemaOf({a, b}), MakeColumns({{stranger, "[99]"}, {renamed, "[2]"}, {{1, "x", TypeId::kLong}, "[1]"}})));
  auto batch = ReadFile(objects, kUri, SchemaOf({a, b}))[0];
  EXPECT_TRUE(batch->column(0)->Equals(ArrayOf(::arrow::int64(), "[1]")));
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::int64(), "[2]")));
}

TEST(DataFileWriter, WritesListedRowsInTheirOrder) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong, true}, text{2, "text", TypeId::kString}, list{3, "l", Type::List(4, TypeId::kInt, false)};
  TableSchema schema = SchemaOf({id, text, list});
  Columns columns = MakeColumns({{id, "[0, 1, 2, 3]"}, {text, R"(["a", null, "c", "d"])", ::arrow::utf8_view()}, {list, "[[0], null, [2, 2], []]"}});
  Must(WriteFile(objects, kUri, schema, columns, {}, std::vector<uint32_t>{3, 1, 2, 2}));
  auto batch = ReadFile(objects, kUri, schema)[0];
  EXPECT_TRUE(batch->column(0)->Equals(ArrayOf(::arrow::int64(), "[3, 1, 2, 2]")));
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::utf8(), R"(["d", null, "c", "c"])")));
  EXPECT_TRUE(batch->column(2)->Equals(ArrayOf(internal::MakeArrowType(list.type), "[[], null, [2, 2], [2, 2]]")));
}

// Goal: sliced input (Arrow offsets on the batch, on columns and below) is read at the right place.
TEST(DataFileWriter, HonoursOffsetsOfSlices) {
  MemoryObjects objects;
  auto point = Type::Struct({{11, "x", TypeId::kInt}});
  NestedField flag{1, "f", TypeId::kBoolean}, text{2, "t", TypeId::kString}, map{3, "m", Type::Map(4, TypeId::kString, 5, TypeId::kInt, false)}, s{10, "s", point};
  TableSchema schema = SchemaOf({flag, text, map, s});
  auto whole = MakeBatch({{flag, "[true, false, null, true]"},
                          {text, R"(["a", "b", null, "d"])", ::arrow::utf8_view()},
                          {map, R"([[["k", 1]], [["l", 2], ["m", 3]], null, [["n", 4]]])"},
                          {s, R"([{"x": 1}, {"x": 2}, null, {"x": null}])"}});
  Must(WriteFile(objects, kUri, schema, ExportBatch(*whole->Slice(1, 3))));
  auto batch = ReadFile(objects, kUri, schema)[0];
  for (int i : {0, 2}) EXPECT_TRUE(batch->column(i)->Equals(whole->Slice(1, 3)->column(i))) << i;
  EXPECT_TRUE(batch->column(1)->Equals(ArrayOf(::arrow::utf8(), R"(["b", null, "d"])")));
  EXPECT_TRUE(batch->column(3)->Equals(ArrayOf(internal::MakeArrowType(point), R"([{"x": 2}, null, {"x": null}])")));
}

Columns Numbers(const NestedField& field, int64_t n) {
  std::string json = "[";
  for (int64_t i = 0; i < n; i++) json += (i == 0 ? "" : ",") + std::to_string(i);
  return MakeColumns({{field, json + "]"}});
}

TEST(DataFileWriter, SplitsRowGroupsAtTheRowLimit) {
  NestedField id{1, "id", TypeId::kLong, true};
  TableSchema schema = SchemaOf({id});
  DataFileOptions options;
  options.row_group_rows_max = 3000;
  for (auto [rows, groups] : std::vector<std::pair<int64_t, size_t>>{{2999, 1}, {3000, 1}, {3001, 2}, {6001, 3}}) {
    MemoryObjects objects;
    auto written = Must(WriteFile(objects, kUri, schema, Numbers(id, rows), options));
    EXPECT_EQ(written.file.split_offsets.size(), groups) << rows;
    EXPECT_EQ(written.file.record_count, rows);
    auto reader = Must(DataFileReader::Open(Must(objects.Open(kUri)), schema));
    EXPECT_EQ(reader->row_groups(), static_cast<int>(groups));
    EXPECT_EQ(reader->first_position(reader->row_groups()), rows);
    if (groups > 1) {
      EXPECT_EQ(reader->first_position(1), 3000);
    }
  }
}

TEST(DataFileWriter, SplitsRowGroupsByBytes) {
  MemoryObjects objects;
  NestedField text{1, "t", TypeId::kString};
  DataFileOptions options;
  options.row_group_bytes_max = 100;
  std::string ten(10, 'x'), json = "[";
  for (int i = 0; i < 10; i++) json += (i == 0 ? "\"" : ",\"") + ten + "\"";
  auto fits = Must(WriteFile(objects, kUri, SchemaOf({text}), MakeColumns({{text, json + "]"}}), options));
  EXPECT_EQ(fits.file.split_offsets.size(), 1u);  // exactly 100 bytes
  auto over = Must(WriteFile(objects, kUri + "2", SchemaOf({text}), MakeColumns({{text, json + ",\"y\"]"}}), options));
  EXPECT_EQ(over.file.split_offsets.size(), 2u);  // 101 bytes
  EXPECT_EQ(over.file.record_count, 11);
}

// Goal: values far larger than a run pass through without being gathered in memory all at once.
// Method: 40 values of 300 KB, more than kRunBytesMax for two of them; every one must come back.
TEST(DataFileWriter, WritesLargeValues) {
  MemoryObjects objects;
  NestedField text{1, "t", TypeId::kString};
  std::string json = "[";
  for (int i = 0; i < 40; i++) json += (i == 0 ? "\"" : ",\"") + std::string(300'000, static_cast<char>('a' + i % 26)) + "\"";
  json += "]";
  auto written = Must(WriteFile(objects, kUri, SchemaOf({text}), MakeColumns({{text, json}})));
  auto batches = ReadFile(objects, kUri, SchemaOf({text}));
  EXPECT_TRUE(batches[0]->column(0)->Equals(ArrayOf(::arrow::utf8(), json)));
  EXPECT_EQ(written.file.metrics.lower_bounds.at(1), std::string(16, 'a'));
  EXPECT_EQ(written.file.metrics.upper_bounds.at(1), std::string(15, 'z') + "{");
}

TEST(DataFileWriter, AppendsAcrossWrites) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong, true};
  auto writer = Must(DataFileWriter::Open(objects, kUri, SchemaOf({id})));
  ASSERT_TRUE(writer->Write(Numbers(id, 10)).ok());
  ASSERT_TRUE(writer->Write(Numbers(id, 5)).ok());
  ASSERT_TRUE(writer->Write(Numbers(id, 0)).ok());
  EXPECT_EQ(writer->rows(), 15);
  auto written = Must(writer->Finish());
  EXPECT_EQ(written.file.record_count, 15);
  EXPECT_EQ(written.file.split_offsets.size(), 2u);
  EXPECT_EQ(ReadFile(objects, kUri, SchemaOf({id})).size(), 2u);
}

// Goal: rows given column by column make the same file as rows given at once.
TEST(DataFileWriter, TakesColumnsOneByOne) {
  const NestedField id{1, "id", TypeId::kLong, true}, missing{2, "missing", TypeId::kString}, text{3, "t", TypeId::kString};
  const NestedField tags{4, "tags", Type::Map(5, TypeId::kString, 6, TypeId::kString, false)};
  struct Source final : ColumnSource {
    std::map<FieldId, ColumnText> json;
    int64_t rows() const override { return 3; }
    Columns Column(FieldId field) override {
      auto at = json.find(field);
      return at == json.end() ? Columns() : MakeColumns({at->second});
    }
    Columns Sample() override { return MakeColumns({json.at(1), json.at(3), json.at(4)}); }
  };
  Source source;
  source.json = {{1, {id, "[1, 2, 3]"}}, {3, {text, R"(["a", null, "a"])"}}, {4, {tags, R"([[["k", "v"]], null, []])"}}};
  const TableSchema schema = SchemaOf({id, missing, text, tags});

  MemoryObjects objects;
  auto at_once = Must(WriteFile(objects, kUri, schema, source.Sample()));
  WriterMemory memory;
  auto writer = Must(DataFileWriter::Open(objects, "mem:///by-column", schema, {}, &memory));
  ASSERT_TRUE(writer->Write(source).ok());
  EXPECT_GT(memory.bytes_peak(), 0u);
  auto by_column = Must(writer->Finish());
  writer.reset();
  EXPECT_EQ(memory.bytes_in_use(), 0u);
  EXPECT_LE(memory.bytes_kept(), WriterMemory::kKeptBytesMax);
  EXPECT_EQ(by_column.file.metrics.null_value_counts, at_once.file.metrics.null_value_counts);
  EXPECT_EQ(objects.objects.at("mem:///by-column"), objects.objects.at(kUri));
}

TEST(DataFileWriter, RefusesASourceWithoutARequiredColumn) {
  const NestedField id{1, "id", TypeId::kLong, true};
  struct Source final : ColumnSource {
    int64_t rows() const override { return 1; }
    Columns Column(FieldId) override { return {}; }
    Columns Sample() override { return Numbers(NestedField{2, "other", TypeId::kLong}, 1); }
  };
  Source source;
  MemoryObjects objects;
  auto writer = Must(DataFileWriter::Open(objects, kUri, SchemaOf({id})));
  auto wrote = writer->Write(source);
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().code, ErrorCode::kInvalid);
}

// ---- refusals and failures: an error, and nothing remains ----

void ExpectRefused(const TableSchema& schema, const Columns& columns, const std::string& part) {
  MemoryObjects objects;
  auto written = WriteFile(objects, kUri, schema, columns);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kInvalid);
  EXPECT_NE(written.error().message.find(part), std::string::npos) << written.error().message;
  EXPECT_TRUE(objects.objects.empty());
  EXPECT_EQ(objects.open_writers, 0);
}

TEST(DataFileWriter, RefusesWhatTheSchemaDoesNotAllow) {
  NestedField id{1, "id", TypeId::kLong, true}, other{2, "other", TypeId::kString};
  ExpectRefused(SchemaOf({id}), MakeColumns({{other, R"(["x"])"}}), "required column \"id\"");
  ExpectRefused(SchemaOf({id}), MakeColumns({{id, "[1, null]"}}), "null in required column \"id\"");
  ExpectRefused(SchemaOf({id}), MakeColumns({{id, "[null]", ::arrow::null()}}), "null in required");
  ExpectRefused(SchemaOf({other}), MakeColumns({{other, "[1]", ::arrow::int64()}}), "format \"l\"");
  ExpectRefused(SchemaOf({{1, "t", TypeId::kTimestampTz}}), MakeColumns({{{1, "t", TypeId::kTimestamp}, "[1]"}}), "tsu:");
  ExpectRefused(SchemaOf({{1, "d", Type::Decimal(8, 2)}}), MakeColumns({{{1, "d", Type::Decimal(9, 2)}, R"(["1.00"])"}}), "d:9,2");
  ExpectRefused(SchemaOf({{1, "l", Type::List(2, TypeId::kInt, true)}}), MakeColumns({{{1, "l", Type::List(2, TypeId::kInt, false)}, "[[1, null]]"}}),
                "null in required column \"element\"");
  ExpectRefused(SchemaOf({id}), Columns(), "no columns");
}

TEST(DataFileWriter, RefusesAFileWithoutRows) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong};
  auto written = WriteFile(objects, kUri, SchemaOf({id}), MakeColumns({{id, "[]"}}));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(objects.objects.empty());
  EXPECT_FALSE(WriteFile(objects, kUri, SchemaOf({id}), MakeColumns({{id, "[1]"}}), {}, std::vector<uint32_t>{}).ok());
}

TEST(DataFileWriter, TakesNothingAfterFinish) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong};
  auto writer = Must(DataFileWriter::Open(objects, kUri, SchemaOf({id})));
  ASSERT_TRUE(writer->Write(Numbers(id, 1)).ok());
  ASSERT_TRUE(writer->Finish().ok());
  const std::string bytes = objects.objects.at(kUri);
  EXPECT_EQ(writer->Write(Numbers(id, 1)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(writer->Finish().error().code, ErrorCode::kInvalid);
  EXPECT_EQ(objects.objects.at(kUri), bytes);
}

TEST(DataFileWriter, LeavesNothingWhenDestroyedHalfWay) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong};
  {
    auto writer = Must(DataFileWriter::Open(objects, kUri, SchemaOf({id})));
    ASSERT_TRUE(writer->Write(Numbers(id, 100)).ok());
    EXPECT_EQ(objects.open_writers, 1);
  }
  EXPECT_EQ(objects.open_writers, 0);
  EXPECT_TRUE(objects.objects.empty());
}

// Goal: whichever append fails, the store's own error comes back, the writer is closed, and no object remains.
// Method: a file of many appends, once whole to count them, then once per failing append.
TEST(DataFileWriter, PassesStoreErrorsThroughAtEveryAppend) {
  NestedField text{1, "t", TypeId::kString};
  DataFileOptions options;
  options.compression = Compression::kNone;
  std::string json = "[";
  for (int i = 0; i < 8; i++) json += (i == 0 ? "\"" : ",\"") + std::string(300'000, static_cast<char>('a' + i)) + "\"";
  Columns columns = MakeColumns({{text, json + "]"}});
  MemoryObjects good;
  Must(WriteFile(good, kUri, SchemaOf({text}), columns, options));
  ASSERT_GT(good.appends, 3);
  for (int at = 0; at < good.appends; at++) {
    MemoryObjects objects;
    objects.fail_at = at;
    auto writer = Must(DataFileWriter::Open(objects, kUri, SchemaOf({text}), options));
    Result<void> wrote = writer->Write(columns);
    auto finished = writer->Finish();
    ASSERT_FALSE(finished.ok()) << at;
    EXPECT_EQ(finished.error().code, ErrorCode::kExhausted);
    EXPECT_EQ(finished.error().hint, "delete something");
    if (!wrote.ok()) {
      EXPECT_EQ(writer->Write(columns).error().code, ErrorCode::kExhausted);
    }
    EXPECT_EQ(objects.open_writers, 0);
    EXPECT_TRUE(objects.objects.empty());
  }
}

TEST(DataFileWriter, PassesAFailingFinishThrough) {
  MemoryObjects objects;
  objects.fail_finish = true;
  objects.failure = Error{ErrorCode::kCommitUnknown, "no answer"};
  NestedField id{1, "id", TypeId::kLong};
  auto written = WriteFile(objects, kUri, SchemaOf({id}), MakeColumns({{id, "[1]"}}));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kCommitUnknown);
}

TEST(DataFileWriter, RefusesAUsedNameAndBadOptions) {
  MemoryObjects objects;
  objects.objects[kUri] = "there";
  NestedField id{1, "id", TypeId::kLong};
  EXPECT_EQ(DataFileWriter::Open(objects, kUri, SchemaOf({id})).error().code, ErrorCode::kExists);
  DataFileOptions options;
  options.compression_level = 23;
  EXPECT_EQ(DataFileWriter::Open(objects, "mem:///b", SchemaOf({id}), options).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(DataFileWriter::Open(objects, "mem:///b", TableSchema{}).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace sluice::iceberg
