// SPDX-License-Identifier: Apache-2.0
//
// Columns of every Iceberg type from Parquet files: by field id, with renames, promotions, missing columns and defaults.
#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "query/worker/worker_fixture.h"

namespace sluice::query {
namespace {

using iceberg::TypeId;

struct FileColumn {
  std::string name;  // in the file
  int32_t id;
  std::shared_ptr<arrow::Array> values;
};

std::shared_ptr<arrow::Field> WithId(const std::string& name, const std::shared_ptr<arrow::DataType>& type, int32_t id) {
  return arrow::field(name, type, true, arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(id)}));
}

ViewFile WriteFile(TestSession& s, const std::string& name, const std::vector<FileColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (auto& c : columns) {
    fields.push_back(WithId(c.name, c.values->type(), c.id));
    arrays.push_back(c.values);
  }
  auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out).ok());
  auto bytes = out->Finish().ValueOrDie()->ToString();
  ViewFile file;
  file.uri = io::PathToUri(s.lake.directory / name);
  EXPECT_TRUE(io::WriteObject(s.env.objects, file.uri, bytes).ok());
  file.bytes = bytes.size();
  file.rows = table->num_rows();
  return file;
}

// Three values of one scalar each; the third is null.
template <class Scalar>
std::shared_ptr<arrow::Array> Values(const Scalar& a, const Scalar& b) {
  auto builder = arrow::MakeBuilder(a.type).ValueOrDie();
  EXPECT_TRUE(builder->AppendScalar(a).ok() && builder->AppendScalar(b).ok() && builder->AppendNull().ok());
  return builder->Finish().ValueOrDie();
}

iceberg::NestedField Field(int32_t id, const std::string& name, iceberg::Type type) {
  iceberg::NestedField out;
  out.id = id;
  out.name = name;
  out.type = std::move(type);
  return out;
}

TestLake::Table NewTable(const std::string& name, std::vector<iceberg::NestedField> columns) {
  TestLake::Table out;
  out.info.schema = "bronze";
  out.info.name = name;
  out.info.columns = std::move(columns);
  return out;
}

TEST(LakeTypes, EveryPrimitiveIsReadAndFiltered) {
  TestSession s;
  auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), plain = arrow::timestamp(arrow::TimeUnit::MICRO);
  using D = arrow::Decimal128;
  std::vector<FileColumn> file = {
      {"b", 1, Values(arrow::BooleanScalar(true), arrow::BooleanScalar(false))},
      {"i", 2, Values(arrow::Int32Scalar(-1), arrow::Int32Scalar(2))},
      {"l", 3, Values(arrow::Int64Scalar(int64_t{1} << 40), arrow::Int64Scalar(2))},
      {"f", 4, Values(arrow::FloatScalar(1.5f), arrow::FloatScalar(2.5f))},
      {"d", 5, Values(arrow::DoubleScalar(1.25), arrow::DoubleScalar(2.25))},
      {"n9", 6, Values(arrow::Decimal128Scalar(D(123), arrow::decimal128(9, 2)), arrow::Decimal128Scalar(D(-5), arrow::decimal128(9, 2)))},
      {"n38", 7, Values(arrow::Decimal128Scalar(D("12345678901234567890123"), arrow::decimal128(38, 3)), arrow::Decimal128Scalar(D(7), arrow::decimal128(38, 3)))},
      {"day", 8, Values(arrow::Date32Scalar(20'468), arrow::Date32Scalar(-1))},
      {"t", 9, Values(arrow::Time64Scalar(3'600'000'000, arrow::time64(arrow::TimeUnit::MICRO)), arrow::Time64Scalar(1, arrow::time64(arrow::TimeUnit::MICRO)))},
      {"ts", 10, Values(arrow::TimestampScalar(0, plain), arrow::TimestampScalar(-1, plain))},
      {"tz", 11, Values(arrow::TimestampScalar(0, utc), arrow::TimestampScalar(1, utc))},
      {"s", 12, Values(arrow::StringScalar("x"), arrow::StringScalar("a text of more than twelve bytes"))},
      {"u", 13, arrow::ExtensionType::WrapArray(arrow::extension::uuid(), Values(arrow::FixedSizeBinaryScalar(arrow::Buffer::FromString("0123456789abcdef"), arrow::fixed_size_binary(16)),
                                                                                  arrow::FixedSizeBinaryScalar(arrow::Buffer::FromString("fedcba9876543210"), arrow::fixed_size_binary(16))))},
      {"x", 14, Values(arrow::FixedSizeBinaryScalar(arrow::Buffer::FromString("abcd"), arrow::fixed_size_binary(4)), arrow::FixedSizeBinaryScalar(arrow::Buffer::FromString("wxyz"), arrow::fixed_size_binary(4)))},
      {"y", 15, Values(arrow::BinaryScalar("bytes"), arrow::BinaryScalar(""))},
  };
  auto table = NewTable("types", {Field(1, "b", TypeId::kBoolean), Field(2, "i", TypeId::kInt), Field(3, "l", TypeId::kLong), Field(4, "f", TypeId::kFloat), Field(5, "d", TypeId::kDouble),
                                  Field(6, "n9", iceberg::Type::Decimal(9, 2)), Field(7, "n38", iceberg::Type::Decimal(38, 3)), Field(8, "day", TypeId::kDate), Field(9, "t", TypeId::kTime),
                                  Field(10, "ts", TypeId::kTimestamp), Field(11, "tz", TypeId::kTimestampTz), Field(12, "s", TypeId::kString), Field(13, "u", TypeId::kUuid), Field(14, "x", iceberg::Type::Fixed(4)),
                                  Field(15, "y", TypeId::kBinary)});
  table.files = {WriteFile(s, "types.parquet", file)};
  s.lake.Put(table);
  EXPECT_EQ(s.Run("SELECT b, i, l, f, d, n9::VARCHAR, n38::VARCHAR, day::VARCHAR, t::VARCHAR, ts::VARCHAR, tz = '1970-01-01 00:00:00Z', s, x::VARCHAR, y::VARCHAR FROM bronze.types WHERE i = -1").text(),
            "true|-1|1099511627776|1.5|1.25|1.23|12345678901234567890.123|2026-01-15|01:00:00|1970-01-01 00:00:00|true|x|abcd|bytes\n");
  for (auto* where : {"b", "i < 0", "l > 1000000000000", "f < 2", "d < 2", "n9 = 1.23", "n38 > 1000", "day = '2026-01-15'", "t > '00:30:00'", "ts >= '1970-01-01'", "tz <= '1970-01-01 00:00:00Z'", "s = 'x'", "u = '30313233-3435-3637-3839-616263646566'", "u < '60000000-0000-0000-0000-000000000000'", "x = 'abcd'::BLOB", "y = 'bytes'::BLOB"})
    EXPECT_EQ(s.Run("SELECT i FROM bronze.types WHERE " + std::string(where)).text(), "-1\n") << where;
  auto described = s.Run("DESCRIBE bronze.types").text();
  for (auto* type : {"BOOLEAN", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(9,2)", "DECIMAL(38,3)", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "UUID", "BLOB"})
    EXPECT_NE(described.find(std::string("|") + type + "|"), std::string::npos) << type;
}

TEST(LakeTypes, ColumnsAreFoundByFieldId) {
  TestSession s;
  auto table = NewTable("renamed", {Field(2, "new_name", TypeId::kLong), Field(3, "widened", TypeId::kDouble), Field(4, "added", TypeId::kString), Field(6, "amount", iceberg::Type::Decimal(18, 2)),
                                    Field(1, "a", TypeId::kInt)});
  table.info.columns[2].initial_default = Json("none yet");
  std::vector<FileColumn> old = {{"a", 1, Values(arrow::Int32Scalar(1), arrow::Int32Scalar(2))},
                                 {"old_name", 2, Values(arrow::Int32Scalar(10), arrow::Int32Scalar(20))},
                                 {"widened", 3, Values(arrow::FloatScalar(1.5f), arrow::FloatScalar(2.5f))},
                                 {"new_name", 5, Values(arrow::StringScalar("dropped column"), arrow::StringScalar("of that name"))},
                                 {"amount", 6, Values(arrow::Decimal128Scalar(arrow::Decimal128(150), arrow::decimal128(9, 2)), arrow::Decimal128Scalar(arrow::Decimal128(250), arrow::decimal128(9, 2)))}};
  std::vector<FileColumn> fresh = {{"new_name", 2, Values(arrow::Int64Scalar(int64_t{1} << 40), arrow::Int64Scalar(40))}, {"added", 4, Values(arrow::StringScalar("here"), arrow::StringScalar("there"))}};
  table.files = {WriteFile(s, "old.parquet", old), WriteFile(s, "fresh.parquet", fresh)};
  s.lake.Put(table);
  EXPECT_EQ(s.Run("SELECT a, new_name, widened, added, amount::VARCHAR FROM bronze.renamed WHERE new_name IS NOT NULL ORDER BY new_name").text(),
            "1|10|1.5|none yet|1.50\n2|20|2.5|none yet|2.50\nnull|40|null|there|null\nnull|1099511627776|null|here|null\n");
  EXPECT_EQ(s.Run("SELECT count(*) FROM bronze.renamed WHERE added = 'none yet'").text(), "3\n");
  EXPECT_EQ(s.Run("SELECT a FROM bronze.renamed WHERE new_name = 20 AND widened > 2").text(), "2\n");
  EXPECT_EQ(s.Run("SELECT count(*) FROM bronze.renamed WHERE a IS NULL").text(), "4\n");
}

TEST(LakeTypes, NestedColumnsAreRead) {
  TestSession s;
  auto strings = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder list(arrow::default_memory_pool(), strings, arrow::list(WithId("element", arrow::utf8(), 11)));
  EXPECT_TRUE(list.Append().ok() && strings->Append("a").ok() && strings->Append("b").ok() && list.AppendNull().ok());
  auto inner = arrow::struct_({WithId("x", arrow::int32(), 21), WithId("y", arrow::utf8(), 22)});
  arrow::StructBuilder structs(inner, arrow::default_memory_pool(), {std::make_shared<arrow::Int32Builder>(), std::make_shared<arrow::StringBuilder>()});
  auto& x = static_cast<arrow::Int32Builder&>(*structs.field_builder(0));
  auto& y = static_cast<arrow::StringBuilder&>(*structs.field_builder(1));
  EXPECT_TRUE(structs.Append().ok() && x.Append(1).ok() && y.Append("why").ok() && structs.AppendNull().ok());
  auto table = NewTable("nested", {Field(10, "l", iceberg::Type::List(11, TypeId::kString, false)),
                                   Field(20, "st", iceberg::Type::Struct({Field(22, "renamed", TypeId::kString), Field(21, "x", TypeId::kLong), Field(23, "added", TypeId::kInt)}))});
  table.files = {WriteFile(s, "nested.parquet", {{"l", 10, list.Finish().ValueOrDie()}, {"st", 20, structs.Finish().ValueOrDie()}})};
  s.lake.Put(table);
  EXPECT_EQ(s.Run("SELECT l[2], len(l), st.renamed, st.x, st.added FROM bronze.nested WHERE l IS NOT NULL").text(), "b|2|why|1|null\n");
  EXPECT_EQ(s.Run("SELECT count(*) FROM bronze.nested WHERE st IS NULL").text(), "1\n");
}

// Another engine widened columns of the bronze table; hot rows still have the old width.
TEST(LakeTypes, PromotedColumnsOfHotRowsAreCast) {
  TestSession s;
  auto table = TestLake::NewEventsTable("events");
  for (auto& column : table.info.columns)
    if (column.name == "log_partition") column.type = TypeId::kLong;
  table.chunks = s.lake.WriteChunks(MakeTestEvents(0, 3'000));
  s.lake.Put(table);
  EXPECT_EQ(s.Run("SELECT count(*), max(log_partition) FROM bronze.events WHERE log_partition = 3").text(), "3000|3\n");
  EXPECT_EQ(s.Run("SELECT count(DISTINCT id) FROM bronze.events WHERE log_partition < 5000000000 AND log_partition > 2").text(), "3000\n");
  EXPECT_EQ(s.Run("SELECT count(DISTINCT id) FROM bronze.events WHERE log_partition > 5000000000").text(), "0\n");
  EXPECT_EQ(s.Run("SELECT count(DISTINCT id) FROM bronze.events WHERE log_partition = 5000000000 OR log_partition = 3").text(), "3000\n");
}

}  // namespace
}  // namespace sluice::query
