// SPDX-License-Identifier: Apache-2.0
#include "iceberg/transform.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;

Value Number(int64_t number) { return Value(number); }
Value Bytes(const char* hex) {
  std::string bytes;
  EXPECT_TRUE(base::FromHex(hex, bytes));
  return Value(bytes);
}
Value Apply(const char* transform, const Value& value, const Type& source) { return ApplyTransform(ParseTransform(transform), value, source); }

// Source: Iceberg table spec, appendix B.
TEST(BucketHash, GivesTheSpecsVectors) {
  EXPECT_EQ(HashValue(Number(34), TypeId::kInt), 2017239379);
  EXPECT_EQ(HashValue(Number(34), TypeId::kLong), 2017239379);
  EXPECT_EQ(HashValue(Value(Int128{1420}), Type::Decimal(9, 2)), -500754589);
  EXPECT_EQ(HashValue(Number(17486), TypeId::kDate), -653330422);
  EXPECT_EQ(HashValue(Number(81068000000), TypeId::kTime), -662762989);
  EXPECT_EQ(HashValue(Number(1510871468000000), TypeId::kTimestamp), -2047944441);
  EXPECT_EQ(HashValue(Number(1510871468000001), TypeId::kTimestampTz), -1207196810);
  EXPECT_EQ(HashValue(Value(std::string("iceberg")), TypeId::kString), 1210000089);
  EXPECT_EQ(HashValue(Value(std::string("34")), TypeId::kString), -427558391);
  EXPECT_EQ(HashValue(Bytes("f79c3e09677c4bbda4793f349cb785e7"), TypeId::kUuid), 1488055340);
  EXPECT_EQ(HashValue(Bytes("00010203"), Type::Fixed(4)), -188683207);
  EXPECT_EQ(HashValue(Bytes("00010203"), TypeId::kBinary), -188683207);
  EXPECT_EQ(HashValue(Value(true), TypeId::kBoolean), 1392991556);
  EXPECT_EQ(HashValue(Value(1.0F), TypeId::kFloat), -142385009);
  EXPECT_EQ(HashValue(Value(1.0), TypeId::kDouble), -142385009);
  EXPECT_EQ(HashValue(Value(-0.0), TypeId::kDouble), 1669671676);
}

TEST(BucketTransform, IgnoresTheSignOfTheHash) {
  EXPECT_EQ(Apply("bucket[16]", Value(Int128{1420}), Type::Decimal(9, 2)), Number((-500754589 & INT32_MAX) % 16));
  EXPECT_EQ(Apply("bucket[16]", Value(), TypeId::kLong), Value());
}

TEST(TimeTransforms, RoundDownBefore1970) {
  EXPECT_EQ(Apply("hour", Number(-1), TypeId::kTimestampTz), Number(-1));
  EXPECT_EQ(Apply("hour", Number(kHourUs), TypeId::kTimestampTz), Number(1));
  EXPECT_EQ(Apply("day", Number(-1), TypeId::kTimestamp), Number(-1));
  EXPECT_EQ(Apply("month", Number(-1), TypeId::kDate), Number(-1));
  EXPECT_EQ(Apply("year", Number(-1), TypeId::kDate), Number(-1));
  EXPECT_EQ(Apply("year", Number(17486), TypeId::kDate), Number(47));
  EXPECT_EQ(Apply("month", Number(17486), TypeId::kDate), Number(574));
}

TEST(TruncateTransform, RoundsDownAndCutsByCodePoints) {
  EXPECT_EQ(Apply("truncate[10]", Number(-1), TypeId::kInt), Number(-10));
  EXPECT_EQ(Apply("truncate[10]", Number(15), TypeId::kLong), Number(10));
  EXPECT_EQ(Apply("truncate[50]", Value(Int128{1065}), Type::Decimal(9, 2)), Value(Int128{1050}));
  EXPECT_EQ(Apply("truncate[2]", Value(std::string("\xC3\xA9\xC3\xA9x")), TypeId::kString), Value(std::string("\xC3\xA9\xC3\xA9")));
  EXPECT_EQ(Apply("truncate[2]", Value(std::string("\xFF\xFE\xFD")), TypeId::kBinary), Value(std::string("\xFF\xFE")));
}

TEST(TransformText, ComesBackAndKeepsWhatIsUnknown) {
  for (const char* text : {"identity", "bucket[16]", "truncate[4]", "year", "month", "day", "hour", "void", "zorder[3]", "bucket[0]", "bucket[x]"})
    EXPECT_EQ(TransformToText(ParseTransform(text)), text);
  EXPECT_EQ(ParseTransform("zorder[3]").kind, TransformKind::kUnknown);
  EXPECT_EQ(ParseTransform("bucket[0]").kind, TransformKind::kUnknown);
}

TEST(TransformCheck, RefusesTypesItDoesNotTake) {
  EXPECT_FALSE(CheckTransform(ParseTransform("hour"), TypeId::kDate).ok());
  EXPECT_FALSE(CheckTransform(ParseTransform("bucket[4]"), TypeId::kDouble).ok());
  EXPECT_FALSE(CheckTransform(ParseTransform("zorder"), TypeId::kLong).ok());
  EXPECT_TRUE(CheckTransform(ParseTransform("hour"), TypeId::kTimestampTz).ok());
}

TEST(PartitionText, IsWhatPeopleExpect) {
  EXPECT_EQ(PartitionValueToText(ParseTransform("hour"), Number(490906), TypeId::kInt), "2026-01-01-10");
  EXPECT_EQ(PartitionValueToText(ParseTransform("month"), Number(-1), TypeId::kInt), "1969-12");
  EXPECT_EQ(PartitionValueToText(ParseTransform("year"), Number(-1), TypeId::kInt), "1969");
  EXPECT_EQ(PartitionValueToText(ParseTransform("day"), Number(INT32_MAX), TypeId::kDate), "5881580-07-11");
}

}  // namespace
}  // namespace sluice::iceberg
