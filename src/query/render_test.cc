// SPDX-License-Identifier: Apache-2.0
//
// Every type of a result in JSON, NDJSON, CSV and Arrow.
#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "query/arrow_stream.h"
#include "query/protocol.h"
#include "query/render_csv.h"
#include "query/render_json.h"
#include "query/value_text.h"

namespace sluice::query {
namespace {

Columns ToColumns(const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  auto batch = arrow::RecordBatch::Make(arrow::schema(fields), arrays.at(0)->length(), arrays);
  ArrowSchema schema;
  ArrowArray array;
  EXPECT_TRUE(arrow::ExportRecordBatch(*batch, &array, &schema).ok());
  return Columns(schema, array);
}

// The first row's value in JSON, and the type's name.
std::pair<std::string, std::string> Json1(const std::shared_ptr<arrow::Array>& array, int64_t row = 0) {
  auto columns = ToColumns({{"x", array}});
  auto renderer = ColumnRenderer::Make(*columns.schema().children[0]);
  if (!renderer.ok()) return {renderer.error().message, ""};
  std::string out;
  (*renderer)->AppendJson(*columns.array().children[0], row, out);
  return {out, (*renderer)->type_name()};
}

template <class Builder, class... Values>
std::shared_ptr<arrow::Array> Make(std::shared_ptr<arrow::DataType> type, Values... values) {
  Builder builder(type, arrow::default_memory_pool());
  (void)(builder.Append(values).ok() && ...);
  return builder.Finish().ValueOrDie();
}
std::shared_ptr<arrow::Array> One(const std::shared_ptr<arrow::Scalar>& scalar) {
  return arrow::MakeArrayFromScalar(*scalar, 1).ValueOrDie();
}
std::shared_ptr<arrow::Array> Strings(const std::vector<std::optional<std::string>>& values) {
  arrow::StringBuilder builder;
  for (auto& v : values) EXPECT_TRUE((v ? builder.Append(*v) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

using P = std::pair<std::string, std::string>;

TEST(RenderJson, NumbersAreBareUnlessTheyWouldBeRounded) {
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Int8Scalar>(-5))), P("-5", "TINYINT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::UInt8Scalar>(200))), P("200", "UTINYINT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Int16Scalar>(-300))), P("-300", "SMALLINT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::UInt16Scalar>(60000))), P("60000", "USMALLINT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Int32Scalar>(-7))), P("-7", "INTEGER"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::UInt32Scalar>(4000000000))), P("4000000000", "UINTEGER"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Int64Scalar>(INT64_MIN))), P("-9223372036854775808", "BIGINT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::UInt64Scalar>(UINT64_MAX))), P("18446744073709551615", "UBIGINT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::DoubleScalar>(0.1))), P("0.1", "DOUBLE"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::FloatScalar>(0.1f))), P("0.1", "FLOAT"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::DoubleScalar>(NAN))).first, "\"NaN\"");
  EXPECT_EQ(Json1(One(std::make_shared<arrow::DoubleScalar>(INFINITY))).first, "\"Infinity\"");
  EXPECT_EQ(Json1(One(std::make_shared<arrow::FloatScalar>(-INFINITY))).first, "\"-Infinity\"");
  EXPECT_EQ(Json1(One(std::make_shared<arrow::BooleanScalar>(true))), P("true", "BOOLEAN"));
}

TEST(RenderJson, DecimalsAreText) {
  auto decimal = [](const char* text, int precision, int scale) {
    return Json1(One(std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(text), arrow::decimal128(precision, scale))));
  };
  EXPECT_EQ(decimal("-1234", 9, 2), P("\"-12.34\"", "DECIMAL(9,2)"));
  EXPECT_EQ(decimal("5", 9, 3), P("\"0.005\"", "DECIMAL(9,3)"));
  EXPECT_EQ(decimal("0", 9, 0).first, "\"0\"");
  EXPECT_EQ(decimal("99999999999999999999999999999999999999", 38, 0), P("\"99999999999999999999999999999999999999\"", "HUGEINT"));
  EXPECT_EQ(decimal("-99999999999999999999999999999999999999", 38, 10).first, "\"-9999999999999999999999999999.9999999999\"");
}

TEST(RenderJson, TimesAreRfc3339) {
  auto stamp = [](int64_t n, arrow::TimeUnit::type unit, const std::string& zone) {
    return Json1(One(std::make_shared<arrow::TimestampScalar>(n, arrow::timestamp(unit, zone))));
  };
  EXPECT_EQ(stamp(0, arrow::TimeUnit::MICRO, "UTC"), P("\"1970-01-01T00:00:00Z\"", "TIMESTAMP WITH TIME ZONE"));
  EXPECT_EQ(stamp(-1, arrow::TimeUnit::MICRO, "UTC").first, "\"1969-12-31T23:59:59.999999Z\"");
  EXPECT_EQ(stamp(1'500, arrow::TimeUnit::MILLI, ""), P("\"1970-01-01T00:00:01.500\"", "TIMESTAMP"));
  EXPECT_EQ(stamp(7, arrow::TimeUnit::SECOND, "").first, "\"1970-01-01T00:00:07\"");
  EXPECT_EQ(stamp(1, arrow::TimeUnit::NANO, "").first, "\"1970-01-01T00:00:00.000000001\"");
  EXPECT_EQ(stamp(INT64_MAX, arrow::TimeUnit::MICRO, "UTC").first, "\"infinity\"");
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Date32Scalar>(20'468))), P("\"2026-01-15\"", "DATE"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Date32Scalar>(-719'529))).first, "\"-0001-12-31\"");
  EXPECT_EQ(Json1(One(std::make_shared<arrow::Time64Scalar>(36'000'500'000, arrow::time64(arrow::TimeUnit::MICRO)))),
            P("\"10:00:00.500000\"", "TIME"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::MonthDayNanoIntervalScalar>(
                arrow::MonthDayNanoIntervalType::MonthDayNanos{14, 3, 3'661'500'000'000}))),
            P("\"P1Y2M3DT1H1M1.5S\"", "INTERVAL"));
  EXPECT_EQ(Json1(One(std::make_shared<arrow::MonthDayNanoIntervalScalar>(arrow::MonthDayNanoIntervalType::MonthDayNanos{0, 0, 0}))).first,
            "\"PT0S\"");
  EXPECT_EQ(
      Json1(One(std::make_shared<arrow::MonthDayNanoIntervalScalar>(arrow::MonthDayNanoIntervalType::MonthDayNanos{0, 0, -500'000'000})))
          .first,
      "\"PT-0.5S\"");
}

// Found by fuzzing: the start of the day, or of the second, of a time near the first one is no int64_t.
TEST(RenderJson, TheFirstTimesAreText) {
  const std::string zone = "UTC";
  const auto stamp = std::make_shared<arrow::TimestampScalar>(INT64_MIN, arrow::timestamp(arrow::TimeUnit::MICRO, zone));
  EXPECT_EQ(Json1(One(stamp)).first, "\"-290308-12-21T19:59:05.224192Z\"");
  const auto nanoseconds = std::make_shared<arrow::TimestampScalar>(INT64_MIN, arrow::timestamp(arrow::TimeUnit::NANO, zone));
  EXPECT_EQ(Json1(One(nanoseconds)).first, "\"1677-09-21T00:12:43.145224192Z\"");
  const auto time = std::make_shared<arrow::Time64Scalar>(INT64_MIN, arrow::time64(arrow::TimeUnit::MICRO));
  EXPECT_TRUE(Json1(One(time)).first.ends_with(".224192\"")) << Json1(One(time)).first;
}

TEST(RenderJson, TextIsEscapedAndBytesAreBase64) {
  EXPECT_EQ(Json1(Strings({"a\"b\\\n\x01"})), P("\"a\\\"b\\\\\\n\\u0001\"", "VARCHAR"));
  EXPECT_EQ(Json1(Strings({""})).first, "\"\"");
  EXPECT_EQ(Json1(Strings({std::nullopt})).first, "null");
  auto bytes = [](std::string text) { return Json1(One(std::make_shared<arrow::BinaryScalar>(std::move(text)))); };
  EXPECT_EQ(bytes(std::string("\x00\xff\x10", 3)), P("\"AP8Q\"", "BLOB"));
  EXPECT_EQ(bytes("M").first, "\"TQ==\"");
  EXPECT_EQ(bytes("Ma").first, "\"TWE=\"");
  EXPECT_EQ(Json1(One(std::make_shared<arrow::LargeStringScalar>("x"))), P("\"x\"", "VARCHAR"));
  arrow::StringViewBuilder views;
  EXPECT_TRUE(views.Append("short").ok() && views.Append("longer than twelve bytes").ok());
  auto view = views.Finish().ValueOrDie();
  EXPECT_EQ(Json1(view, 0).first, "\"short\"");
  EXPECT_EQ(Json1(view, 1).first, "\"longer than twelve bytes\"");
}

TEST(RenderJson, NestedValuesAreJson) {
  arrow::ListBuilder list(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>());
  auto& items = static_cast<arrow::Int32Builder&>(*list.value_builder());
  ASSERT_TRUE(list.Append().ok() && items.Append(1).ok() && items.AppendNull().ok() && list.Append().ok() && list.AppendNull().ok() &&
              list.Append().ok() && items.Append(9).ok());
  auto lists = list.Finish().ValueOrDie();
  EXPECT_EQ(Json1(lists, 0), P("[1,null]", "INTEGER[]"));
  EXPECT_EQ(Json1(lists, 1).first, "[]");
  EXPECT_EQ(Json1(lists, 2).first, "null");
  EXPECT_EQ(Json1(lists->Slice(3), 0).first, "[9]") << "a slice starts at its offset";
  arrow::MapBuilder map(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>(), std::make_shared<arrow::StringBuilder>());
  auto& keys = static_cast<arrow::StringBuilder&>(*map.key_builder());
  auto& values = static_cast<arrow::StringBuilder&>(*map.item_builder());
  ASSERT_TRUE(map.Append().ok() && keys.Append("a").ok() && values.Append("1").ok() && keys.Append("b").ok() && values.AppendNull().ok());
  EXPECT_EQ(Json1(map.Finish().ValueOrDie()), P("{\"a\":\"1\",\"b\":null}", "MAP(VARCHAR, VARCHAR)"));
  auto structs = arrow::StructArray::Make({Strings({"x", "y"}), lists->Slice(0, 2)}, std::vector<std::string>{"s", "l"}).ValueOrDie();
  EXPECT_EQ(Json1(structs, 1), P("{\"s\":\"y\",\"l\":[]}", "STRUCT(\"s\" VARCHAR, \"l\" INTEGER[])"));
  EXPECT_EQ(Json1(structs->Slice(1), 0).first, "{\"s\":\"y\",\"l\":[]}");
  arrow::DictionaryArray enums(arrow::dictionary(arrow::int8(), arrow::utf8()), Make<arrow::Int8Builder>(arrow::int8(), int8_t{1}),
                               Strings({"sad", "happy"}));
  EXPECT_EQ(Json1(std::make_shared<arrow::DictionaryArray>(enums.data())), P("\"happy\"", "ENUM"));
}

TEST(RenderJson, NamesTheTypeItCannotRender) {
  auto unknown = arrow::MakeArrayOfNull(arrow::sparse_union({arrow::field("a", arrow::int8())}), 1).ValueOrDie();
  EXPECT_NE(Json1(unknown).first.find("cannot be rendered"), std::string::npos);
}

TEST(RenderJson, MakesOneDocument) {
  JsonRenderer renderer;
  std::string out;
  auto columns =
      ToColumns({{"id", Strings({"a", std::nullopt})}, {"n", Make<arrow::Int64Builder>(arrow::int64(), int64_t{1}, int64_t{2})}});
  ASSERT_TRUE(renderer.Begin(columns.schema(), out).ok());
  renderer.Append(columns, out);
  renderer.Append(columns, out);
  StatementStats stats;
  stats.rows = 4;
  stats.elapsed_us = 1'500;
  stats.tables.push_back({"bronze", "events", {12, {{log::LogPartition(0), log::Offset(5)}}, Timestamp{0}}});
  renderer.End(stats, out);
  EXPECT_EQ(out,
            "{\"columns\":[{\"name\":\"id\",\"type\":\"VARCHAR\"},{\"name\":\"n\",\"type\":\"BIGINT\"}],\"rows\":[[\"a\",1],[null,2],["
            "\"a\",1],[null,2]],"
            "\"stats\":{\"rows\":4,\"elapsed_ms\":1.5,\"files_read\":0,\"files_pruned\":0,\"bytes_read\":0,\"bytes_pruned\":0,\"hot_rows\":"
            "0,\"cold_rows\":0,"
            "\"tables\":[{\"table\":\"bronze.events\",\"snapshot_id\":12,\"next_offsets\":{\"0\":5},\"watermark\":\"1970-01-01T00:00:00Z\"}"
            "]}}\n");
  EXPECT_TRUE(Json::Parse(out).ok());
}

TEST(RenderJson, FailureIsTheLastMember) {
  JsonRenderer renderer;
  std::string out;
  auto columns = ToColumns({{"id", Strings({"a"})}});
  ASSERT_TRUE(renderer.Begin(columns.schema(), out).ok());
  renderer.Append(columns, out);
  renderer.Fail({QueryErrorKind::kTimeout, "too late", 3, "hurry"}, {}, out);
  auto parsed = Json::Parse(out);
  ASSERT_TRUE(parsed.ok()) << out;
  EXPECT_EQ((*parsed)["rows"].AsArray().size(), 1u);
  EXPECT_EQ((*parsed)["error"]["kind"].AsString(), "timeout");
  EXPECT_EQ((*parsed)["error"]["position"].AsInt(), 3);
}

TEST(RenderNdjson, OneObjectALine) {
  NdjsonRenderer renderer;
  std::string out;
  auto columns = ToColumns({{"a", Strings({"x", std::nullopt})}, {"a", Make<arrow::Int32Builder>(arrow::int32(), 1, 2)}});
  ASSERT_TRUE(renderer.Begin(columns.schema(), out).ok());
  renderer.Append(columns, out);
  renderer.Fail({QueryErrorKind::kWorkerDied, "gone", std::nullopt, ""}, out);
  EXPECT_EQ(out, "{\"a\":\"x\",\"a_1\":1}\n{\"a\":null,\"a_1\":2}\n{\"error\":{\"kind\":\"worker_died\",\"message\":\"gone\"}}\n");
}

TEST(RenderCsv, NullIsNotTheEmptyString) {
  CsvRenderer renderer;
  std::string out;
  auto columns = ToColumns({{"a b", Strings({"", std::nullopt, "x,y", "say \"hi\"", "two\nlines", "plain", " padded"})},
                            {"n,m", Make<arrow::DoubleBuilder>(arrow::float64(), 1.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0)}});
  ASSERT_TRUE(renderer.Begin(columns.schema(), out).ok());
  renderer.Append(columns, out);
  EXPECT_EQ(out, "a b,\"n,m\"\n\"\",1\n,2.5\n\"x,y\",3\n\"say \"\"hi\"\"\",4\n\"two\nlines\",5\nplain,6\n\" padded\",7\n");
}

TEST(RenderArrow, ComesBackWhole) {
  std::string stream;
  ArrowStreamWriter writer;
  auto columns = ToColumns({{"id", Strings({"a", std::nullopt})}});
  ASSERT_TRUE(writer.Begin(columns.schema(), stream).ok());
  ASSERT_TRUE(writer.Write(std::move(columns), stream).ok());
  ASSERT_TRUE(writer.Write(ToColumns({{"id", Strings({"c"})}}), stream).ok());
  ASSERT_TRUE(writer.End(stream).ok());
  std::string name, rows;
  ArrowStreamReader reader(
      [&](const ArrowSchema& schema) -> Result<void> {
        name = schema.children[0]->name;
        return {};
      },
      [&](Columns batch) -> Result<void> {
        CsvRenderer csv;
        std::string header;
        RETURN_IF_ERROR(csv.Begin(batch.schema(), header));
        csv.Append(batch, rows);
        return {};
      });
  for (size_t at = 0; at < stream.size(); at += 11) ASSERT_TRUE(reader.Push(stream.substr(at, 11)).ok());
  EXPECT_EQ(name, "id");
  EXPECT_EQ(rows, "a\n\nc\n");
}

// A worker's 364 bytes made the server render a thousand million nulls: columns of nulls have no bytes, so that any length is cheap to say.
TEST(ArrowStreamReader, MoreRowsThanABatchHasAreRefused) {
  for (const auto& [rows, good] :
       {std::pair{int64_t{3}, true}, {kResultBatchRowsMax, true}, {kResultBatchRowsMax + 1, false}, {int64_t{1} << 30, false}}) {
    auto nulls = std::make_shared<arrow::NullArray>(rows);
    auto out = *arrow::io::BufferOutputStream::Create();
    auto schema = arrow::schema({arrow::field("n", arrow::null())});
    auto writer = *arrow::ipc::MakeStreamWriter(out, schema);
    ASSERT_TRUE(writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, rows, {nulls})).ok() && writer->Close().ok());
    int64_t seen = -1;
    ArrowStreamReader reader([](const ArrowSchema&) -> Result<void> { return {}; },
                             [&](Columns batch) -> Result<void> {
                               seen = batch.rows();
                               return {};
                             });
    EXPECT_EQ(reader.Push((*out->Finish())->ToString()).ok(), good) << rows;
    EXPECT_EQ(seen, good ? rows : -1);
  }
}

// Found by fuzzing: 364 bytes of a worker, a decimal with a thousand million digits behind the point, made the server write them all.
// Method: as a column and inside of one.
TEST(ArrowStreamReader, DecimalsWithMoreDigitsBehindThePointThanTheyHaveAreRefused) {
  for (auto [scale, good] : {std::pair(-1, false), {0, true}, {9, true}, {10, false}, {1 << 30, false}}) {
    const auto decimal = arrow::decimal128(9, scale);
    for (const auto& type : {decimal, arrow::list(decimal), arrow::dictionary(arrow::int8(), decimal)}) {
      auto out = *arrow::io::BufferOutputStream::Create();
      auto schema = arrow::schema({arrow::field("x", type)});
      auto writer = *arrow::ipc::MakeStreamWriter(out, schema);
      ASSERT_TRUE(writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, 1, {*arrow::MakeArrayOfNull(type, 1)})).ok());
      ASSERT_TRUE(writer->Close().ok());
      bool seen = false;
      ArrowStreamReader reader(
          [&](const ArrowSchema&) -> Result<void> {
            seen = true;
            return {};
          },
          [](Columns) -> Result<void> { return {}; });
      EXPECT_EQ(reader.Push((*out->Finish())->ToString()).ok(), good) << type->ToString();
      EXPECT_EQ(seen, good) << type->ToString();
    }
  }
}

// Goal: a worker that was taken over cannot make the server read outside of its buffers.
// Method: flip every byte of a stream; whatever is accepted must render without a fault (the sanitizers look).
TEST(ArrowStreamReader, ChangedBytesAreRefusedOrHarmless) {
  auto stream = *ToArrowStream(ToColumns({{"id", Strings({"a", std::nullopt, "a text of more than twelve bytes"})}}));
  int refused = 0;
  for (size_t i = 0; i < stream.size(); i++) {
    auto changed = stream;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    ArrowStreamReader reader([](const ArrowSchema&) -> Result<void> { return {}; },
                             [&](Columns batch) -> Result<void> {
                               JsonRenderer json;
                               std::string out;
                               RETURN_IF_ERROR(json.Begin(batch.schema(), out));
                               json.Append(batch, out);
                               return {};
                             });
    refused += !reader.Push(changed).ok();
  }
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace sluice::query
