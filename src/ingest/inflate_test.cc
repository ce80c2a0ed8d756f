// SPDX-License-Identifier: Apache-2.0
#include "ingest/inflate.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

#include "ingest/gzip.h"

namespace sluice::ingest {
namespace {

std::string Zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}
std::string Encode(ContentEncoding e, const std::string& text) { return e == ContentEncoding::kGzip ? Gzip(text) : Zstd(text); }

class InflateTest : public testing::TestWithParam<ContentEncoding> {};

TEST_P(InflateTest, GivesBackWhatWasEncoded) {
  Inflater inflater(1 << 20);
  for (size_t n : {size_t{0}, size_t{1}, size_t{1000}, size_t{1} << 20}) {
    std::string text(n, 'x');
    for (size_t i = 0; i < n; i += 7) text[i] = static_cast<char>(i);
    auto out = inflater.Inflate(GetParam(), Encode(GetParam(), text));
    ASSERT_TRUE(out.ok()) << out.error().ToString();
    EXPECT_EQ(*out, text);
    for (size_t i = 0; i < Inflater::kPadding; i++) EXPECT_EQ(out->data()[n + i], 0);
  }
}

TEST_P(InflateTest, BoundHoldsExactly) {
  Inflater inflater(1000);
  EXPECT_TRUE(inflater.Inflate(GetParam(), Encode(GetParam(), std::string(1000, 'a'))).ok());
  EXPECT_EQ(inflater.Inflate(GetParam(), Encode(GetParam(), std::string(1001, 'a'))).error().code, ErrorCode::kExhausted);
}

TEST_P(InflateTest, RefusesABombWithoutHoldingIt) {
  Inflater inflater(1 << 20);
  EXPECT_EQ(inflater.Inflate(GetParam(), Encode(GetParam(), std::string(64 << 20, '\0'))).error().code, ErrorCode::kExhausted);
}

// The byte behind the bound was written to a variable whose scope had ended; a sanitizer saw it.
TEST_P(InflateTest, ByteBehindTheBoundHasAPlace) {
  const std::string whole = Encode(GetParam(), std::string(1 << 20, 'a'));
  for (size_t bound = 1; bound < 300; bound++) {
    Inflater inflater(bound);
    EXPECT_EQ(inflater.Inflate(GetParam(), whole).error().code, ErrorCode::kExhausted) << bound;
  }
}

// Goal: no prefix of a stream passes for the whole.
TEST_P(InflateTest, RefusesEveryTruncation) {
  Inflater inflater(1 << 20);
  const std::string whole = Encode(GetParam(), "events and more events and more events");
  for (size_t n = 0; n < whole.size(); n++) EXPECT_EQ(inflater.Inflate(GetParam(), std::string_view(whole).substr(0, n)).error().code, ErrorCode::kInvalid) << n;
}

TEST_P(InflateTest, SeveralMembersAreOneBody) {
  Inflater inflater(1 << 20);
  auto out = inflater.Inflate(GetParam(), Encode(GetParam(), "one") + Encode(GetParam(), "two"));
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(*out, "onetwo");
}

TEST_P(InflateTest, RefusesOtherBytes) {
  Inflater inflater(1 << 20);
  EXPECT_EQ(inflater.Inflate(GetParam(), "{\"id\":1}").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(inflater.Inflate(GetParam(), Encode(GetParam(), "one") + "rubbish").error().code, ErrorCode::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Encodings, InflateTest, testing::Values(ContentEncoding::kGzip, ContentEncoding::kZstd));

TEST(ContentEncodingHeader, TakesThreeAndNamesThem) {
  EXPECT_EQ(ParseContentEncoding("").value(), ContentEncoding::kIdentity);
  EXPECT_EQ(ParseContentEncoding("GZIP").value(), ContentEncoding::kGzip);
  EXPECT_EQ(ParseContentEncoding("zstd").value(), ContentEncoding::kZstd);
  EXPECT_NE(ParseContentEncoding("br").error().hint.find("gzip, zstd"), std::string::npos);
  EXPECT_FALSE(ParseContentEncoding("gzip, zstd").ok());
}

}  // namespace
}  // namespace sluice::ingest
