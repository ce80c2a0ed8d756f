// SPDX-License-Identifier: Apache-2.0
#include "iceberg/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::iceberg {
namespace {

Value Text(std::string text) { return Value(std::move(text)); }
Value Number(int64_t number) { return Value(number); }

TEST(ValueBytes, ComeBackAsTheyWere) {
  std::vector<std::pair<Value, Type>> values = {
      {Value(true), TypeId::kBoolean},        {Number(-5), TypeId::kInt},          {Number(INT64_MIN), TypeId::kLong},
      {Value(1.5F), TypeId::kFloat},          {Value(-0.0), TypeId::kDouble},      {Value(Int128{-1}), Type::Decimal(9, 2)},
      {Value(Int128{128}), Type::Decimal(9, 2)}, {Number(-719162), TypeId::kDate}, {Number(1), TypeId::kTime},
      {Number(-1), TypeId::kTimestampTz},     {Text("\xC3\xA9"), TypeId::kString}, {Text(std::string(16, '\7')), TypeId::kUuid},
      {Text("abc"), Type::Fixed(3)},          {Text(""), TypeId::kBinary}};
  for (const auto& [value, type] : values) {
    auto back = ValueFromBytes(ValueToBytes(value, type), type);
    ASSERT_TRUE(back.ok()) << type.ToString();
    EXPECT_EQ(*back, value) << type.ToString();
  }
}

TEST(ValueBytes, DecimalsAreShortestBigEndian) {
  Type type = Type::Decimal(9, 2);
  EXPECT_EQ(ValueToBytes(Value(Int128{1420}), type), std::string("\x05\x8C", 2));
  EXPECT_EQ(ValueToBytes(Value(Int128{0}), type), std::string("\0", 1));
  EXPECT_EQ(ValueToBytes(Value(Int128{127}), type), "\x7F");
  EXPECT_EQ(ValueToBytes(Value(Int128{128}), type), std::string("\0\x80", 2));
  EXPECT_EQ(ValueToBytes(Value(Int128{-128}), type), "\x80");
  EXPECT_EQ(ValueToBytes(Value(Int128{-129}), type), "\xFF\x7F");
}

TEST(ValueBytes, ReadBoundsFromBeforeAPromotion) {
  EXPECT_EQ(*ValueFromBytes(ValueToBytes(Number(-7), TypeId::kInt), TypeId::kLong), Number(-7));
  EXPECT_EQ(*ValueFromBytes(ValueToBytes(Value(1.5F), TypeId::kFloat), TypeId::kDouble), Value(1.5));
}

TEST(ValueBytes, RefuseWrongLengths) {
  for (const Type& type : {Type(TypeId::kInt), Type(TypeId::kLong), Type(TypeId::kDouble), Type(TypeId::kUuid), Type::Fixed(4), Type(TypeId::kBoolean)}) {
    auto value = ValueFromBytes("123", type);
    ASSERT_FALSE(value.ok()) << type.ToString();
    EXPECT_EQ(value.error().code, ErrorCode::kCorruption);
  }
  EXPECT_FALSE(ValueFromBytes("", Type::Decimal(9, 2)).ok());
  EXPECT_FALSE(ValueFromBytes(std::string(17, '\0'), Type::Decimal(38, 2)).ok());
}

TEST(ValueOrder, PutsNullFirstAndNanLast) {
  EXPECT_TRUE(Compare(Value(), Number(INT64_MIN)) < 0);
  EXPECT_TRUE(Compare(Value(std::nan("")), Value(std::numeric_limits<double>::infinity())) > 0);
  EXPECT_TRUE(Compare(Value(-0.0), Value(0.0)) < 0);
  EXPECT_TRUE(Compare(Text("z"), Text("\xC3\xA9")) < 0);
}

TEST(ValueJson, FollowsTheSpecsExamples) {
  EXPECT_EQ(ValueToJson(Value(Int128{1420}), Type::Decimal(9, 2)), Json("14.20"));
  EXPECT_EQ(ValueToJson(Value(Int128{-5}), Type::Decimal(9, 2)), Json("-0.05"));
  EXPECT_EQ(ValueToJson(Number(17486), TypeId::kDate), Json("2017-11-16"));
  EXPECT_EQ(ValueToJson(Number(1510871468000001), TypeId::kTimestampTz), Json("2017-11-16T22:31:08.000001+00:00"));
  EXPECT_EQ(ValueToJson(Text(std::string("\0\1\xFF", 3)), Type::Fixed(3)), Json("0001ff"));
}

TEST(ValueJson, ComesBackAsItWas) {
  std::vector<std::pair<Value, Type>> values = {
      {Value(), TypeId::kLong},      {Value(false), TypeId::kBoolean},          {Number(34), TypeId::kInt},    {Value(2.5), TypeId::kDouble},
      {Number(-1), TypeId::kDate},   {Number(81068000000), TypeId::kTime},      {Number(-1), TypeId::kTimestamp}, {Number(-1), TypeId::kTimestampTz},
      {Text("x"), TypeId::kString},  {Text(std::string(16, '\x5A')), TypeId::kUuid}, {Value(Int128{-1420}), Type::Decimal(9, 2)}};
  for (const auto& [value, type] : values) {
    auto back = ValueFromJson(ValueToJson(value, type), type);
    ASSERT_TRUE(back.ok()) << type.ToString() << " " << back.error().message;
    EXPECT_EQ(*back, value) << type.ToString();
  }
}

TEST(ValueJson, RefusesOtherTypes) {
  EXPECT_FALSE(ValueFromJson(Json("x"), TypeId::kLong).ok());
  EXPECT_FALSE(ValueFromJson(Json(int64_t{1} << 40), TypeId::kInt).ok());
  EXPECT_FALSE(ValueFromJson(Json("1.5"), Type::Decimal(9, 2)).ok());
  EXPECT_FALSE(ValueFromJson(Json("2017-13-01"), TypeId::kDate).ok());
}

TEST(StringBounds, AreCutBetweenCodePoints) {
  EXPECT_EQ(TruncateStringLower("a\xC3\xA9z", 2), "a\xC3\xA9");
  EXPECT_EQ(TruncateStringUpper("a\xC3\xA9z", 2), "a\xC3\xAA");
  EXPECT_EQ(TruncateStringUpper("abc", 3), "abc") << "nothing was cut, so nothing is raised";
}

TEST(StringBounds, SkipSurrogatesAndCarryAtTheLastCodePoint) {
  EXPECT_EQ(TruncateStringUpper("\xED\x9F\xBFx", 1), "\xEE\x80\x80") << "U+D7FF is followed by U+E000";
  EXPECT_EQ(TruncateStringUpper("a\xF4\x8F\xBF\xBFx", 2), "b");
  std::string largest;
  for (int i = 0; i < 17; i++) largest += "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(TruncateStringUpper(largest, 16), std::nullopt);
  EXPECT_EQ(TruncateStringUpper("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 1), "\xF0\x9F\x98\x81");
}

TEST(StringBounds, DoNotExistForBytesThatAreNoText) {
  EXPECT_EQ(TruncateStringLower("\xFF", 16), std::nullopt);
  EXPECT_EQ(TruncateStringUpper("\xC0\x80", 16), std::nullopt);
  EXPECT_EQ(TruncateStringUpper("\xED\xA0\x80", 16), std::nullopt);
}

TEST(BinaryBounds, DropTrailingFF) {
  EXPECT_EQ(TruncateBinaryUpper("a\xFF\xFFx", 3), "b");
  EXPECT_EQ(TruncateBinaryUpper("\xFF\xFF\xFF", 2), std::nullopt);
  EXPECT_EQ(TruncateBinaryUpper("ab", 2), "ab");
  EXPECT_EQ(TruncateBinaryLower("abc", 2), "ab");
}

}  // namespace
}  // namespace sluice::iceberg
