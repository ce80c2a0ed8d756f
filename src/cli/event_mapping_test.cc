// SPDX-License-Identifier: Apache-2.0
#include "cli/event_mapping.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

constexpr const char* kQuake =
    R"({"id":"nc1","properties":{"type":"quake","time":1547510400123,"mag":1.10,"place":"a, b"},"n":12345678901234567890})";

Json Mapped(const std::string& map, const std::string& record) {
  auto mapping = EventMapping::Parse(map);
  EXPECT_TRUE(mapping.ok()) << mapping.error().ToString();
  auto event = mapping->Apply(record);
  EXPECT_TRUE(event.ok()) << event.error().ToString();
  return event.ok() ? *Json::Parse(*event) : Json();
}

std::string MapError(const std::string& map) {
  auto mapping = EventMapping::Parse(map);
  return mapping.ok() ? "" : mapping.error().message;
}

std::string ApplyError(const std::string& map, const std::string& record) {
  auto event = EventMapping::Parse(map)->Apply(record);
  return event.ok() ? "" : event.error().message;
}

TEST(EventMapping, PointersConstantsAndTemplatesMakeAnEvent) {
  auto event = Mapped("id=/id,source=https://example.com/a,type=gov.usgs.{/properties/type},time=/properties/time", kQuake);
  EXPECT_EQ(event["specversion"].AsString(), "1.0");
  EXPECT_EQ(event["id"].AsString(), "nc1");
  EXPECT_EQ(event["source"].AsString(), "https://example.com/a");
  EXPECT_EQ(event["type"].AsString(), "gov.usgs.quake");
  EXPECT_EQ(event["time"].AsString(), "2019-01-15T00:00:00.123000Z");
  EXPECT_EQ(event["datacontenttype"].AsString(), "application/json");
  EXPECT_EQ(event["data"]["properties"]["place"].AsString(), "a, b");
}

TEST(EventMapping, DataIsTheRecordByteForByte) {
  auto event = EventMapping::Parse("id=/id,source=s,type=t")->Apply(kQuake);
  ASSERT_TRUE(event.ok());
  EXPECT_NE(event->find(kQuake), std::string::npos) << *event;  // 1.10 and the large number as they came
}

TEST(EventMapping, DataCanBeAPartAndIsLeftOutWhenItIsNotThere) {
  EXPECT_NE(EventMapping::Parse("id=/id,source=s,type=t,data=/properties/mag")->Apply(kQuake)->find("\"data\":1.10}"), std::string::npos);
  EXPECT_EQ(Mapped("id=/id,source=s,type=t,data=/nothing", kQuake).Find("data"), nullptr);
}

TEST(EventMapping, ARecordOverManyLinesBecomesOneLine) {
  auto event = EventMapping::Parse("id=/id,source=s,type=t")->Apply("{\n  \"id\": \"a\\nb\",\r\n  \"x\": 1\n}");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->find_first_of("\r\n"), std::string::npos);
  EXPECT_EQ((*Json::Parse(*event))["data"]["id"].AsString(), "a\nb");
}

TEST(EventMapping, CommasAndSlashesInConstants) {
  auto event = Mapped("id=/id,source==/demo,type=a,b,subject=x", kQuake);
  EXPECT_EQ(event["source"].AsString(), "/demo");
  EXPECT_EQ(event["type"].AsString(), "a,b");
  EXPECT_EQ(event["subject"].AsString(), "x");
}

TEST(EventMapping, NumbersAndTruthValuesBecomeText) {
  auto event = Mapped("id=/n,source={/b}-{/n},type=t", R"({"n":17,"b":true})");
  EXPECT_EQ(event["id"].AsString(), "17");
  EXPECT_EQ(event["source"].AsString(), "true-17");
}

TEST(EventMapping, AMissingRequiredAttributeNamesThePointer) {
  EXPECT_EQ(ApplyError("id=/key,source=s,type=t", "{}"), "it has no /key, which --map needs for id");
  EXPECT_EQ(ApplyError("id=/key,source=s,type=t", R"({"key":null})"), "it has no /key, which --map needs for id");
  EXPECT_EQ(ApplyError("id=/key,source=s,type=a.{/x}.{/y}", R"({"key":1,"x":1})"), "it has no /x /y, which --map needs for type");
  EXPECT_EQ(ApplyError("id=/key,source=s,type=t", R"({"key":{}})"), "id: /key is no text, number or truth value");
  EXPECT_EQ(ApplyError("id=/key,source=s,type=t", "[1]"), "it is JSON, but no object");
}

TEST(EventMapping, AMissingOptionalAttributeIsLeftOut) {
  auto event = Mapped("id=/id,source=s,type=t,subject=/nothing,time=/nothing", kQuake);
  EXPECT_EQ(event.Find("subject"), nullptr);
  EXPECT_EQ(event.Find("time"), nullptr);
}

TEST(EventMapping, TheMapSaysWhatItLacks) {
  EXPECT_EQ(MapError("source=s,type=t"), "--map has no id=, and every event needs one");
  EXPECT_EQ(MapError("id=/id,type=t"), "--map has no source=, and every event needs one");
  EXPECT_EQ(MapError("id=/id,source=s"), "--map has no type=, and every event needs one");
  EXPECT_NE(MapError("id=/id,id=/x,source=s,type=t").find("twice"), std::string::npos);
  EXPECT_NE(MapError("id=/id,source=s,type=a{/x").find("'{' without"), std::string::npos);
  EXPECT_NE(MapError("id=/a~2,source=s,type=t").find("no JSON pointer"), std::string::npos);
  EXPECT_NE(MapError("specversion=1,id=/a,source=s,type=t").find("specversion"), std::string::npos);
  EXPECT_NE(MapError("id=,source=s,type=t").find("maps to nothing"), std::string::npos);
  EXPECT_NE(MapError("data=x,id=/a,source=s,type=t").find("must be a pointer"), std::string::npos);
}

TEST(EventTime, EpochUnitsAreToldApartBySize) {
  const std::string day = "2019-01-15T00:00:00Z";
  EXPECT_EQ(*EventTimeText(Json(int64_t{1547510400})), day);
  EXPECT_EQ(*EventTimeText(Json(int64_t{1547510400000})), day);
  EXPECT_EQ(*EventTimeText(Json(int64_t{1547510400000000})), day);
  EXPECT_EQ(*EventTimeText(Json(int64_t{1547510400000000000})), day);
  EXPECT_EQ(*EventTimeText(Json(1547510400.5)), "2019-01-15T00:00:00.500000Z");
  EXPECT_EQ(*EventTimeText(Json("1547510400000")), day);
  EXPECT_EQ(*EventTimeText(Json(int64_t{-1})), "1969-12-31T23:59:59Z");
  EXPECT_EQ(*EventTimeText(Json(int64_t{0})), "1970-01-01T00:00:00Z");
  EXPECT_EQ(*EventTimeText(Json(int64_t{99'999'999'999})), "5138-11-16T09:46:39Z");
  EXPECT_EQ(*EventTimeText(Json(int64_t{100'000'000'000})), "1973-03-03T09:46:40Z");
}

TEST(EventTime, Rfc3339StaysAndEverythingElseIsRefused) {
  EXPECT_EQ(*EventTimeText(Json("2019-01-15T01:00:00.123456789+01:00")), "2019-01-15T01:00:00.123456789+01:00");
  EXPECT_FALSE(EventTimeText(Json("2019-01-15")).ok());
  EXPECT_FALSE(EventTimeText(Json("2019-01-15T00:00:00")).ok());
  EXPECT_FALSE(EventTimeText(Json(true)).ok());
  EXPECT_FALSE(EventTimeText(Json("")).ok());
}

TEST(CloudEventCheck, NamesWhatIsMissing) {
  EXPECT_TRUE(CheckIsCloudEvent(R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})").ok());
  EXPECT_NE(CheckIsCloudEvent(R"({"specversion":"1.0","id":"1","type":"t"})").error().message.find("\"source\""), std::string::npos);
  EXPECT_NE(CheckIsCloudEvent("{").error().hint.find("--records"), std::string::npos);
}

TEST(EventTimeOf, EventsWithoutTimeComeLast) {
  EXPECT_EQ(EventTimeOf(R"({"time":"1970-01-01T00:00:01Z"})").us, 1'000'000);
  EXPECT_GT(EventTimeOf("{}"), EventTimeOf(R"({"time":"9999-01-01T00:00:00Z"})"));
}

}  // namespace
}  // namespace sluice::cli
