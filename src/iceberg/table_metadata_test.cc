// SPDX-License-Identifier: Apache-2.0
#include "iceberg/table_metadata.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "iceberg/table_change.h"

namespace sluice::iceberg {
namespace {

constexpr const char* kVersion1 = R"({"format-version":1,"table-uuid":"d20125c8-7284-442c-9aea-15fee620737c","location":"file:///t",
  "last-updated-ms":1602638573874,"last-column-id":3,"schema":{"type":"struct","fields":[{"id":1,"name":"x","required":true,"type":"long"},
  {"id":2,"name":"ts","required":false,"type":"timestamptz"}]},"partition-spec":[{"name":"ts_hour","transform":"hour","source-id":2}],
  "properties":{},"current-snapshot-id":7,"snapshots":[{"snapshot-id":7,"timestamp-ms":1,"manifests":["file:///t/m0.avro"]}]})";

// A table with a nested column, a partition spec, a snapshot and members that this code does not know.
Json SampleJson() {
  NewTable table{.table_uuid = "u", .location = "file:///t"};
  table.fields = {{0, "id", TypeId::kLong, true}, {0, "tags", Type::Map(0, TypeId::kString, 0, Type::List(0, TypeId::kInt, true), false)},
                  {0, "time", TypeId::kTimestampTz, true, "event time"}};
  table.partition = {{"time", {TransformKind::kHour}}};
  TableMetadata metadata = *MakeTableMetadata(table, 5);
  Snapshot snapshot;
  snapshot.snapshot_id = 42;
  snapshot.sequence_number = 1;
  snapshot.timestamp_ms = 6;
  snapshot.manifest_list = "file:///t/metadata/snap.avro";
  snapshot.summary = {{"operation", "append"}};
  metadata.snapshots.push_back(snapshot);
  metadata.current_snapshot_id = 42;
  metadata.last_sequence_number = 1;
  metadata.refs["main"].snapshot_id = 42;
  metadata.snapshot_log = {{6, 42}};
  Json json = *Json::Parse(SerializeTableMetadata(metadata));
  json.Erase("sluice-checksum");  // these tests change it, as other engines do
  return json;
}

ErrorCode CodeOf(const Json& json) {
  auto parsed = ParseTableMetadata(json.Dump(), "file:///t/metadata/1.json");
  EXPECT_FALSE(parsed.ok());
  return parsed.ok() ? ErrorCode::kExists : parsed.error().code;
}

TEST(TableMetadata, SurvivesWritingAndReading) {
  auto first = ParseTableMetadata(SampleJson().Dump(), "f");
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto second = ParseTableMetadata(SerializeTableMetadata(*first), "f");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(first->schema().FindByName("tags.value.element")->type, Type(TypeId::kInt));
  EXPECT_EQ(first->last_column_id, 6);
}

// Goal: no bit that a disk flips changes what a table is. Method: flip one in each byte; what is still read must be the same.
TEST(TableMetadata, AFlippedBitIsDamageOrMakesNoDifference) {
  const TableMetadata whole = *ParseTableMetadata(SampleJson().Dump(), "m");
  const std::string bytes = SerializeTableMetadata(whole);
  for (size_t at = 0; at < bytes.size(); at++) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << at % 7);
    auto read = ParseTableMetadata(damaged, "m");
    if (!read.ok()) continue;
    read->last_updated_ms = whole.last_updated_ms;  // a time, for people
    read->unknown = whole.unknown;                  // the checksum itself under another name
    EXPECT_EQ(*read, whole) << at << ": " << damaged.substr(at < 20 ? 0 : at - 20, 40);
  }
}

TEST(TableMetadata, AChecksumThatAnotherEngineTookOverProvesNothing) {
  Json json = *Json::Parse(SerializeTableMetadata(*ParseTableMetadata(SampleJson().Dump(), "m")));
  json.Set("last-updated-ms", json["last-updated-ms"].AsInt() + 1);
  json.Set("location", "file:///elsewhere");
  EXPECT_EQ(ParseTableMetadata(json.Dump(), "m")->location, "file:///elsewhere");
}

TEST(TableMetadata, KeepsMembersItDoesNotKnow) {
  Json json = SampleJson();
  json.Set("statistics", *Json::Parse(R"([{"snapshot-id":42,"statistics-path":"file:///s.puffin","x":1}])"));
  json.Set("x-vendor", *Json::Parse(R"({"a":[1,2]})"));
  auto parsed = ParseTableMetadata(json.Dump(), "f");
  ASSERT_TRUE(parsed.ok());
  Json again = *Json::Parse(SerializeTableMetadata(*parsed));
  EXPECT_EQ(again["statistics"], json["statistics"]);
  EXPECT_EQ(again["x-vendor"], json["x-vendor"]);
}

TEST(TableMetadata, ReadsGzip) {
  std::string plain = SampleJson().Dump(), packed(plain.size() + 100, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  auto parsed = ParseTableMetadata(packed, "f.gz.metadata.json");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->table_uuid, "u");
  EXPECT_EQ(ParseTableMetadata(packed.substr(0, packed.size() / 2), "f").error().code, ErrorCode::kCorruption);
}

TEST(TableMetadata, AcceptsEverySpellingOfNoSnapshot) {
  Json json = SampleJson();
  for (const char* name : {"snapshots", "refs", "snapshot-log"}) json.Erase(name);
  for (const Json& none : {Json(-1), Json()}) {
    json.Set("current-snapshot-id", none);
    EXPECT_TRUE(ParseTableMetadata(json.Dump(), "f").ok());
  }
  json.Erase("current-snapshot-id");
  auto parsed = ParseTableMetadata(json.Dump(), "f");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->current_snapshot(), nullptr);
}

TEST(TableMetadata, ReadsVersion1IntoTheShapeOfVersion2) {
  auto parsed = ParseTableMetadata(kVersion1, "f");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->format_version, 1);
  EXPECT_EQ(parsed->spec().fields[0].field_id, 1000);
  EXPECT_EQ(parsed->sort_order().order_id, 0);
  EXPECT_EQ(parsed->refs.at("main").snapshot_id, 7);
  EXPECT_EQ(parsed->snapshots[0].manifests, std::vector<std::string>{"file:///t/m0.avro"});
  EXPECT_EQ(CanApply(*parsed, {}).error().code, ErrorCode::kInvalid) << "it is read only";
}

TEST(TableMetadata, RefusesVersion3ByName) {
  Json json = SampleJson();
  json.Set("format-version", 3);
  auto parsed = ParseTableMetadata(json.Dump(), "f");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
  EXPECT_NE(parsed.error().message.find("format version 3"), std::string::npos);
}

TEST(TableMetadata, NamesFileAndMemberThatIsMissing) {
  for (const char* member : {"table-uuid", "location", "last-sequence-number", "last-updated-ms", "last-column-id", "schemas",
                             "current-schema-id", "partition-specs", "default-spec-id", "last-partition-id", "sort-orders",
                             "default-sort-order-id"}) {
    Json json = SampleJson();
    json.Erase(member);
    auto parsed = ParseTableMetadata(json.Dump(), "file:///t/metadata/1.json");
    ASSERT_FALSE(parsed.ok()) << member;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorruption);
    EXPECT_NE(parsed.error().message.find(member), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find("file:///t/metadata/1.json"), std::string::npos);
  }
}

TEST(TableMetadata, RefusesContradictions) {
  for (auto [member, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"current-schema-id", 9}, {"default-spec-id", 9}, {"default-sort-order-id", 9}, {"current-snapshot-id", 43},
           {"refs", *Json::Parse(R"({"main":{"snapshot-id":43,"type":"branch"}})")}}) {
    Json json = SampleJson();
    json.Set(member, value);
    EXPECT_EQ(CodeOf(json), ErrorCode::kCorruption) << member;
  }
  EXPECT_EQ(ParseTableMetadata("{", "f").error().code, ErrorCode::kCorruption);
}

TEST(TableSchema, RefusesRepeatedIdsAndUnknownTypes) {
  EXPECT_FALSE(SchemaFromJson(*Json::Parse(R"({"fields":[{"id":1,"name":"a","type":"int"},{"id":1,"name":"b","type":"int"}]})")).ok());
  EXPECT_FALSE(SchemaFromJson(*Json::Parse(R"({"fields":[{"id":1,"name":"a","type":"int"},{"id":2,"name":"a","type":"int"}]})")).ok());
  for (const char* type : {"variant", "decimal(39,2)", "decimal(9)", "fixed[-1]", "fixed[x]", "struct"})
    EXPECT_FALSE(TypeFromJson(Json(type)).ok()) << type;
  EXPECT_EQ(*TypeFromJson(Json("decimal(9,2)")), Type::Decimal(9, 2));
  EXPECT_EQ(*TypeFromJson(Json("fixed[16]")), Type::Fixed(16));
}

}  // namespace
}  // namespace sluice::iceberg
