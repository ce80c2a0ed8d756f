// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/uuid.h"

namespace sluice::base {
namespace {

TEST(Bytes, IntegersHaveTheByteOrderOfTheirName) {
  std::string bytes;
  AppendLittle<uint32_t>(bytes, 0x01020304);
  AppendBig<uint32_t>(bytes, 0x01020304);
  AppendLittle<int16_t>(bytes, -2);
  AppendBig<uint64_t>(bytes, 1);
  EXPECT_EQ(ToHex(bytes), "0403020101020304feff0000000000000001");
  EXPECT_EQ(GetLittle<uint32_t>(bytes.data()), 0x01020304u);
  EXPECT_EQ(GetBig<uint32_t>(bytes.data() + 4), 0x01020304u);
  EXPECT_EQ(GetLittle<int16_t>(bytes.data() + 8), -2);
}

TEST(ByteReader, ReadsToTheLastByteAndNotBeyond) {
  ByteReader reader(std::string_view("\x01\x00\x02\x00\x00\x00xyz", 9));
  EXPECT_EQ(reader.Get<uint16_t>(), 1);
  EXPECT_EQ(reader.Get<uint32_t>(), 2u);
  EXPECT_EQ(reader.left(), 3u);
  EXPECT_EQ(reader.GetBytes(3), "xyz");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.position(), 9u);
  EXPECT_EQ(reader.Get<uint8_t>(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, StaysFailedAfterAShortRead) {
  ByteReader reader("abc");
  EXPECT_EQ(reader.Get<uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Get<uint8_t>(), 0) << "nothing is read after a failure";
  EXPECT_EQ(reader.GetBytes(1), "");
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, HugeCountsDoNotWrap) {
  ByteReader reader("abc");
  EXPECT_EQ(reader.GetBytes(SIZE_MAX), "");
  EXPECT_FALSE(reader.ok());
}

TEST(Hex, GoesBothWays) {
  std::string bytes;
  ASSERT_TRUE(FromHex("00ffAb", bytes));
  EXPECT_EQ(ToHex(bytes), "00ffab");
  for (auto bad : {"0", "0g", "g0", " 0", "0x"}) {
    bytes = "kept";
    EXPECT_FALSE(FromHex(bad, bytes)) << bad;
    EXPECT_EQ(bytes, "kept");
  }
  ASSERT_TRUE(FromHex("", bytes));
  EXPECT_EQ(bytes, "");
}

// Check values: RFC 3720 appendix B.4, and the usual "123456789".
TEST(Crc32c, MatchesPublishedValues) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Crc32c, ChainsOverAnyCut) {
  std::string text = "the log is the truth";
  for (size_t cut = 0; cut <= text.size(); cut++)
    EXPECT_EQ(Crc32c(std::string_view(text).substr(cut), Crc32c(std::string_view(text).substr(0, cut))), Crc32c(text)) << cut;
}

TEST(Uuid, HasVersionAndVariant) {
  std::array<uint8_t, 16> random;
  random.fill(0xff);
  EXPECT_EQ(FormatUuidV4(random), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  random.fill(0);
  EXPECT_EQ(FormatUuidV4(random), "00000000-0000-4000-8000-000000000000");
}

}  // namespace
}  // namespace sluice::base
