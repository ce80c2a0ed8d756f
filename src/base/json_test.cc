// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

Json Parsed(std::string_view text) {
  auto json = Json::Parse(text);
  EXPECT_TRUE(json.ok()) << text << ": " << json.error().message;
  return json.ok() ? *json : Json();
}
std::string Refused(std::string_view text) {
  auto json = Json::Parse(text);
  EXPECT_FALSE(json.ok()) << text;
  if (json.ok()) return {};
  EXPECT_EQ(json.error().code, ErrorCode::kInvalid);
  return json.error().message;
}

TEST(JsonParse, KeepsTypesValuesAndOrder) {
  auto json = Parsed(R"({"b":[1,-2.5,"x\u00e9\n",true,null],"a":{}})");
  EXPECT_EQ(json.Dump(), "{\"b\":[1,-2.5,\"x\u00e9\\n\",true,null],\"a\":{}}");
  EXPECT_EQ(json["b"].AsArray().size(), 5u);
  EXPECT_TRUE(json["missing"]["deeper"].is_null());
}

TEST(JsonParse, RefusesARepeatedName) {
  EXPECT_NE(Refused(R"({"a":1,"b":2,"a":3})").find("\"a\" occurs twice"), std::string::npos);
  EXPECT_NE(Refused(R"([{"x":{"y":1,"y":1}}])").find("\"y\" occurs twice"), std::string::npos);
  Parsed(R"({"a":{"a":1},"b":{"a":1}})");
}

TEST(JsonParse, DepthIs128AndNotOneMore) {
  Parsed(std::string(128, '[') + std::string(128, ']'));
  EXPECT_NE(Refused(std::string(129, '[') + std::string(129, ']')).find("deeper than 128"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 129; i++) objects += "{\"a\":";
  EXPECT_NE(Refused(objects).find("deeper than 128"), std::string::npos);
  Refused(std::string(1'000'000, '['));
}

TEST(JsonParse, IntegersAreExactTo64Bits) {
  EXPECT_EQ(Parsed("9223372036854775807").AsInt(), INT64_MAX);
  EXPECT_EQ(Parsed("-9223372036854775808").AsInt(), INT64_MIN);
  auto beyond = Parsed("9223372036854775808");
  EXPECT_FALSE(beyond.is_int());
  EXPECT_EQ(beyond.AsDouble(), 9223372036854775808.0);
  EXPECT_TRUE(Parsed("0").is_int());
  EXPECT_FALSE(Parsed("1.0").is_int());
  EXPECT_FALSE(Parsed("1e3").is_int());
  EXPECT_EQ(Parsed("1e3").AsDouble(), 1000);
}

TEST(JsonParse, RefusesWhatIsNotOneDocument) {
  for (auto bad : {"", " ", "{", "[1,]", "{\"a\":}", "{a:1}", "'a'", "01", "+1", "1.", ".5", "NaN", "Infinity", "tru", "1 2", "[1] x", "\"\n\"", "\"\\x\"", "\"\xff\"", "1e999", "// c\n1"})
    EXPECT_NE(Refused(bad).find("not JSON"), std::string::npos) << bad;
  EXPECT_NE(Refused("[1,]").find("byte 4"), std::string::npos) << Refused("[1,]");
}

TEST(JsonDump, RoundTripsNumbers) {
  for (double v : {0.1, 1.0 / 3, 1e300, -2.5e-10, 123456789.125}) EXPECT_EQ(Parsed(Json(v).Dump()).AsDouble(), v);
  EXPECT_EQ(Json(1.0).Dump(), "1.0") << "a double stays one";
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).Dump(), "null");
  EXPECT_EQ(Json(INT64_MIN).Dump(), "-9223372036854775808");
}

TEST(JsonDump, IndentsByLevel) {
  EXPECT_EQ(Parsed(R"({"a":[1,2],"b":{},"c":[]})").Dump(2), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}

TEST(JsonDump, StringsAreAlwaysValid) {
  EXPECT_EQ(Json("\"\\\b\x01/").Dump(), R"("\"\\\b\u0001/")");
  EXPECT_EQ(Json(std::string("a\xff""b")).Dump(), "\"a\ufffdb\"");
}

TEST(JsonObject, SetsReplacesAndErases) {
  Json json;
  json.Set("a", Json::MakeObject()).Set("inner", 2);
  json.Set("b", "x");
  json.Set("b", "y");
  EXPECT_EQ(json["b"].AsString(), "y");
  EXPECT_EQ(json.AsObject().size(), 2u);
  EXPECT_EQ(json["a"]["inner"].AsInt(), 2) << "Set answers the member that it set";
  json.Erase("b");
  json.Erase("missing");
  EXPECT_EQ(json.Find("b"), nullptr);
  EXPECT_DEATH(Json(1).Set("a", 1), "no object");
  EXPECT_DEATH(Json(1).Append(1), "no array");
}

TEST(JsonObject, RequireNamesWhatIsMissing) {
  auto json = Parsed(R"({"n":1,"s":"x","a":[],"o":{}})");
  EXPECT_EQ(json.RequireInt("n").value(), 1);
  EXPECT_EQ(json.RequireString("s").value(), "x");
  EXPECT_TRUE(json.RequireArray("a").ok());
  EXPECT_TRUE(json.RequireObject("o").ok());
  EXPECT_EQ(json.RequireInt("x").error().message, "\"x\" is missing");
  EXPECT_EQ(json.RequireInt("s").error().message, "\"s\" is no integer");
  EXPECT_EQ(json.RequireString("n").error().message, "\"n\" is no string");
  EXPECT_EQ(Json(1).RequireArray("a").error().code, ErrorCode::kInvalid);
}

TEST(JsonValue, AccessorsOfAnotherTypeAnswerTheDefault) {
  Json text("x");
  EXPECT_EQ(text.AsInt(7), 7);
  EXPECT_TRUE(text.AsBool(true));
  EXPECT_EQ(text.AsDouble(0.5), 0.5);
  EXPECT_TRUE(text.AsArray().empty());
  EXPECT_EQ(Json(3).AsString(), "");
  EXPECT_EQ(Json(3).AsDouble(), 3.0);
}

}  // namespace
}  // namespace sluice
