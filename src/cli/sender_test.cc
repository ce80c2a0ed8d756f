// SPDX-License-Identifier: Apache-2.0
#include "cli/sender.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>

namespace sluice::cli {
namespace {

class FakeServer final : public HttpClient {
 public:
  Result<HttpAnswer> Do(const HttpCall& call) override {
    bodies.emplace_back(call.body);
    headers = call.headers;
    if (answers.empty()) {
      const auto n = std::to_string(std::count(call.body.begin(), call.body.end(), '\n'));
      return HttpAnswer{200, "application/json", -1, "{\"accepted\":" + n + ",\"duplicates\":0,\"rejected\":0}"};
    }
    auto answer = answers.front();
    answers.pop_front();
    return answer;
  }
  int signal() const override { return 0; }
  bool TakeSignal() override { return false; }
  const std::string& url() const override { return url_; }

  std::vector<std::string> bodies;
  std::vector<std::string> headers;
  std::deque<Result<HttpAnswer>> answers;

 private:
  const std::string url_ = "http://fake";
};

class SenderTest : public testing::Test {
 protected:
  Sender Make(SenderOptions options) {
    return Sender(
        server_, world_.env(), *termination_, std::move(options), [this](const Refused& r) { refused_.push_back(r); },
        [this](const std::string&) { retries_++; });
  }
  std::unique_ptr<io::Termination> termination_ = std::move(io::Termination::Make().value());
  io::RealWorld world_{io::LogLevel::kError};
  FakeServer server_;
  std::vector<Refused> refused_;
  int retries_ = 0;
};

TEST_F(SenderTest, SendsFullBatchesAndTheRest) {
  auto sender = Make({.batch_events = 2});
  for (int i = 1; i <= 5; i++) ASSERT_TRUE(sender.Add(i, "{}").ok());
  ASSERT_TRUE(sender.Flush().ok());
  EXPECT_EQ(server_.bodies, (std::vector<std::string>{"{}\n{}\n", "{}\n{}\n", "{}\n"}));
  EXPECT_EQ(sender.totals().sent, 5);
  EXPECT_EQ(sender.totals().accepted, 5);
  EXPECT_EQ(sender.totals().record_last, 5);
  ASSERT_TRUE(sender.Flush().ok());
  EXPECT_EQ(server_.bodies.size(), 3u);
}

TEST_F(SenderTest, CompressedBodiesSayThatTheyAre) {
  auto sender = Make({.gzip = true});
  const std::string event(10'000, 'x');
  ASSERT_TRUE(sender.Add(1, event).ok());
  server_.answers.push_back(HttpAnswer{200, "application/json", -1, "{\"accepted\":1,\"duplicates\":0,\"rejected\":0}"});
  ASSERT_TRUE(sender.Flush().ok());
  ASSERT_EQ(server_.bodies.size(), 1u);
  EXPECT_LT(server_.bodies[0].size(), 200u);
  EXPECT_TRUE(server_.bodies[0].starts_with("\x1f\x8b"));
  EXPECT_NE(std::find(server_.headers.begin(), server_.headers.end(), "Content-Encoding: gzip"), server_.headers.end());
}

TEST_F(SenderTest, AnEventLargerThanAnyRequestIsNamedAndLeftOutWhenLenient) {
  const HttpAnswer too_large{413, "application/problem+json", -1,
                             R"({"detail":"the body has 6 bytes; here 5 are taken","hint":"send it in smaller parts"})"};
  for (const bool lenient : {false, true}) {
    auto sender = Make({.lenient = lenient});
    refused_.clear();
    server_.answers.push_back(too_large);
    ASSERT_TRUE(sender.Add(7, "{}").ok());
    EXPECT_EQ(sender.Flush().ok(), lenient);
    ASSERT_EQ(refused_.size(), 1u);
    EXPECT_EQ(refused_[0].record, 7);
    EXPECT_EQ(sender.totals().rejected, 1);
    EXPECT_EQ(sender.waiting(), lenient ? 0u : 1u);
  }
}

TEST_F(SenderTest, NoBatchIsLargerThanTheServerTakes) {
  auto sender = Make({.batch_events = kBatchEventsMax});
  const std::string event(kBatchBytesMax / 2 - 1, 'x');
  for (int i = 1; i <= 3; i++) ASSERT_TRUE(sender.Add(i, event).ok());
  ASSERT_TRUE(sender.Flush().ok());
  ASSERT_EQ(server_.bodies.size(), 2u);
  EXPECT_EQ(server_.bodies[0].size(), kBatchBytesMax);
}

TEST_F(SenderTest, ABusyServerIsAskedAgainWithTheSameBatch) {
  server_.answers.push_back(HttpAnswer{503, "", -1, R"({"detail":"behind"})"});
  server_.answers.push_back(HttpAnswer{429, "", -1, R"({"detail":"quota"})"});
  server_.answers.push_back(Error{ErrorCode::kUnavailable, "the connection broke", {}});
  auto sender = Make({});
  ASSERT_TRUE(sender.Add(1, "{\"a\":1}").ok());
  ASSERT_TRUE(sender.Flush().ok());
  EXPECT_EQ(server_.bodies, std::vector<std::string>(4, "{\"a\":1}\n"));
  EXPECT_EQ(retries_, 3);
  EXPECT_EQ(sender.totals().sent, 1);
}

TEST_F(SenderTest, RetriesEnd) {
  for (int i = 0; i < 3; i++) server_.answers.push_back(HttpAnswer{503, "", -1, R"({"detail":"behind"})"});
  auto sender = Make({.retries = 2});
  ASSERT_TRUE(sender.Add(1, "{}").ok());
  auto flushed = sender.Flush();
  ASSERT_FALSE(flushed.ok());
  EXPECT_EQ(flushed.error().message, "behind");
  EXPECT_EQ(server_.bodies.size(), 3u);
  EXPECT_EQ(sender.totals().sent, 0);
}

// Found by a server that was killed while the first request ran: send gave up.
TEST_F(SenderTest, AVeryFirstConnectionThatBreaksIsRetriedAlsoWhereTheServerIsGoneThen) {
  server_.answers.push_back(Error{ErrorCode::kUnavailable, "the connection broke", {}});
  server_.answers.push_back(Error{ErrorCode::kNotFound, "no server", {}});
  server_.answers.push_back(Error{ErrorCode::kExhausted, "did not answer in time", {}});
  auto sender = Make({});
  ASSERT_TRUE(sender.Add(1, "{}").ok());
  ASSERT_TRUE(sender.Flush().ok());
  EXPECT_EQ(server_.bodies.size(), 4u);
  EXPECT_EQ(sender.totals().sent, 1);
}

TEST_F(SenderTest, NoServerAtAllIsSaidAtOnce) {
  server_.answers.push_back(Error{ErrorCode::kNotFound, "no server", {}});
  auto sender = Make({});
  ASSERT_TRUE(sender.Add(1, "{}").ok());
  EXPECT_FALSE(sender.Flush().ok());
  EXPECT_EQ(server_.bodies.size(), 1u);
}

TEST_F(SenderTest, ARefusedBatchNamesItsRecords) {
  server_.answers.push_back(
      HttpAnswer{422, "", -1,
                 R"({"detail":"1 of 2 events is not valid","rejected":1,"errors":[{"index":1,"pointer":"/source","reason":"missing"}]})"});
  auto sender = Make({});
  ASSERT_TRUE(sender.Add(41, "{}").ok());
  ASSERT_TRUE(sender.Add(43, "{}").ok());
  auto flushed = sender.Flush();
  ASSERT_FALSE(flushed.ok());
  EXPECT_EQ(flushed.error().code, ErrorCode::kInvalid);
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].record, 43);
  EXPECT_EQ(refused_[0].pointer, "/source");
  EXPECT_EQ(refused_[0].reason, "missing");
}

TEST_F(SenderTest, LenientTakesTheGoodAndNamesTheBad) {
  server_.answers.push_back(HttpAnswer{
      200, "", -1, R"({"accepted":1,"duplicates":0,"rejected":1,"results":[{"error":{"pointer":"/id","reason":"empty"}},{"topic":"t"}]})"});
  auto sender = Make({.lenient = true});
  ASSERT_TRUE(sender.Add(7, "{}").ok());
  ASSERT_TRUE(sender.Add(8, "{}").ok());
  ASSERT_TRUE(sender.Flush().ok());
  EXPECT_NE(std::find(server_.headers.begin(), server_.headers.end(), "Prefer: handling=lenient"), server_.headers.end());
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].record, 7);
  EXPECT_EQ(sender.totals().rejected, 1);
}

TEST_F(SenderTest, CtrlCEndsTheWaitForARetry) {
  server_.answers.push_back(HttpAnswer{503, "", 60, R"({"detail":"behind"})"});
  auto sender = Make({});
  ASSERT_TRUE(sender.Add(1, "{}").ok());
  kill(getpid(), SIGINT);
  auto flushed = sender.Flush();
  ASSERT_FALSE(flushed.ok());
  EXPECT_EQ(flushed.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(server_.bodies.size(), 1u);
}

}  // namespace
}  // namespace sluice::cli
