// SPDX-License-Identifier: Apache-2.0
#include "front/http/http_parser.h"

#include <gtest/gtest.h>

#include "front/http/chunked_decoder.h"

namespace sluice::front::http {
namespace {

TEST(ParseHead, ReadsTargetQueryAndHeaders) {
  HttpRequest request;
  HeadFacts facts;
  std::string head = "POST /v1/a%20b?x=1+2&y=%26&flag&=empty&&x=3 HTTP/1.1\r\nHost: h:1\r\nCE-Type:  a b \t\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n";
  ASSERT_FALSE(ParseHead(head, request, facts).has_value());
  EXPECT_EQ(request.method, Method::kPost);
  EXPECT_EQ(request.raw_path, "/v1/a%20b");
  EXPECT_EQ(request.path, "/v1/a b");
  EXPECT_EQ(request.Query("x"), "1 2");
  EXPECT_EQ(request.Query("y"), "&");
  EXPECT_EQ(request.Query("flag"), "");
  EXPECT_EQ(request.Query("z"), std::nullopt);
  EXPECT_EQ(request.query.size(), 5u);
  EXPECT_EQ(request.Header("ce-type"), "a b");
  EXPECT_FALSE(request.HasHeader("ce-id"));
  EXPECT_EQ(facts.content_length, 12u);
  EXPECT_TRUE(facts.keep_alive);
  EXPECT_TRUE(facts.expect_continue);
  EXPECT_FALSE(facts.chunked);
}

// Goal: the scanner finds the same end however the bytes arrive, and a request after it does not matter.
TEST(HeadScanner, FindsTheEndWhereverTheCutsAre) {
  std::string head = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string bytes = head + "GET /next";
  for (size_t first = 1; first < head.size(); ++first) {
    HeadScanner scanner;
    auto found = scanner.Scan(std::string_view(bytes).substr(0, first));
    EXPECT_FALSE(found.error.has_value()) << first;
    EXPECT_EQ(found.end, 0u) << first;
    found = scanner.Scan(bytes);
    EXPECT_FALSE(found.error.has_value()) << first;
    EXPECT_EQ(found.start, 2u);
    EXPECT_EQ(found.end, head.size()) << first;
  }
}

// Found with a gzip body in the packet of its head: its zero bytes were taken for the head's.
TEST(HeadScanner, LooksForZeroBytesInTheHeadOnly) {
  using namespace std::string_literals;
  const std::string head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
  HeadScanner scanner;
  auto found = scanner.Scan(head + "\0\n\0"s);
  EXPECT_FALSE(found.error);
  EXPECT_EQ(found.end, head.size());
  for (auto& bad : {"GET / HTTP/1.1\r\nHo\0st: x\r\n\r\n"s, "GET / HTTP/1.1\r\nHo\0s"s, "\0"s}) {
    HeadScanner fresh;
    EXPECT_TRUE(fresh.Scan(bad).error);
  }
}

TEST(HeadScanner, RefusesBadLinesBeforeTheHeadIsComplete) {
  for (std::string_view bytes : {"GET / HTTP/1.1\nHost", "GET / HTTP/1.1\r\n Host", "GET / HTTP/1.1\r\nA: b\r\n\tc"}) {
    HeadScanner scanner;
    auto found = scanner.Scan(std::string(bytes) + "\r\n");
    EXPECT_TRUE(found.error.has_value()) << bytes;
  }
}

class Chunks : public testing::Test {
 protected:
  ChunkedDecoder::Outcome Decode(std::string_view bytes, size_t step, uint64_t bytes_max = 1000) {
    decoder_.Reset(bytes_max);
    body_ = pool_.Take(1);
    rest_ = {};
    while (!bytes.empty()) {
      std::string_view input = bytes.substr(0, step);
      size_t size = input.size();
      auto outcome = decoder_.Decode(input, body_);
      bytes.remove_prefix(size - input.size());
      rest_ = bytes;
      if (outcome != ChunkedDecoder::Outcome::kMore) return outcome;
    }
    return ChunkedDecoder::Outcome::kMore;
  }
  BodyPool pool_{1 << 20};
  ChunkedDecoder decoder_;
  BodyBuffer body_;
  std::string_view rest_;
};

TEST_F(Chunks, AreTheSameHoweverTheyArrive) {
  for (size_t step = 1; step < 40; ++step) {
    EXPECT_EQ(Decode("3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\nGET", step), ChunkedDecoder::Outcome::kDone);
    EXPECT_EQ(body_.view(), "abc0123456789");
    EXPECT_EQ(rest_, "GET");
  }
}

TEST_F(Chunks, StopAtTheLimit) {
  EXPECT_EQ(Decode("5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", 100, 10), ChunkedDecoder::Outcome::kDone);
  EXPECT_EQ(Decode("5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n", 100, 10), ChunkedDecoder::Outcome::kTooLarge);
}

TEST_F(Chunks, BoundExtensionsOfAllChunksTogether) {
  std::string bytes;
  std::string one = "1;" + std::string(999, 'x') + "\r\na\r\n";
  for (int i = 0; i < 16; ++i) bytes += one;
  EXPECT_EQ(Decode(bytes + "0\r\n\r\n", 10'000), ChunkedDecoder::Outcome::kDone);
  EXPECT_EQ(Decode(bytes + one + "0\r\n\r\n", 10'000), ChunkedDecoder::Outcome::kMalformed);
}

TEST(BodyPool, GivesTheWarmestBufferBack) {
  BodyPool pool(1 << 20);
  BodyBuffer a = pool.Take(100), b = pool.Take(100);
  char* warm = b.data();
  a.Release();
  b.Release();
  EXPECT_EQ(pool.Take(4096).data(), warm);
  EXPECT_NE(pool.Take(4097).data(), warm);
}

TEST(BodyPool, CountsBytesUntilTheyAreGivenBack) {
  BodyPool pool(10);
  BodyBuffer a = pool.Take(100), b = pool.Take(100);
  EXPECT_TRUE(a.Grew(10));
  EXPECT_FALSE(b.Grew(1));
  EXPECT_EQ(pool.bytes_in_flight(), 11u);
  BodyBuffer moved = std::move(a);
  b.Release();
  EXPECT_EQ(pool.bytes_in_flight(), 10u);
  moved.Reserve(200'000);
  EXPECT_EQ(pool.bytes_in_flight(), 10u);
  moved.Release();
  EXPECT_EQ(pool.bytes_in_flight(), 0u);
}

TEST(BodyBuffer, IsFollowedByZeros) {
  BodyPool pool(1 << 20);
  BodyBuffer body = pool.Take(10);
  std::fill_n(body.data(), body.capacity() + kBodyPadding, 'x');
  body.Grew(body.capacity());
  body.Seal();
  for (size_t i = 0; i < kBodyPadding; ++i) EXPECT_EQ(body.end()[i], '\0');
  EXPECT_EQ(body.view().back(), 'x');
}

}  // namespace
}  // namespace sluice::front::http
