// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_runner.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <deque>

#include "io/env.h"

namespace sluice::cli {
namespace {

// A server that answers what it was told to.
class FakeClient final : public HttpClient {
 public:
  Result<HttpAnswer> Do(const HttpCall& call) override {
    calls.push_back({call.headers, std::string(call.body)});
    HttpAnswer answer = answers.front();
    answers.pop_front();
    if (!answer.ok() || !call.on_body) return answer;
    for (size_t at = 0; at < answer.body.size(); at += 7)
      if (!call.on_body(std::string_view(answer.body).substr(at, 7))) return Error{ErrorCode::kCancelled, "cancelled", {}};
    answer.body.clear();
    return answer;
  }
  int signal() const override { return 0; }
  bool TakeSignal() override { return signal_at_piece > 0 && --signal_at_piece == 0; }
  const std::string& url() const override { return url_; }

  struct Call {
    std::vector<std::string> headers;
    std::string body;
  };
  std::vector<Call> calls;
  int signal_at_piece = 0;
  std::deque<HttpAnswer> answers;

 private:
  const std::string url_ = "http://fake";
};

struct Run {
  SqlOutcome outcome;
  std::string out, err;
};

Run RunWith(SqlFormat format, HttpAnswer answer, const std::string& sql = "SELECT 1") {
  FakeClient client;
  client.answers.push_back(std::move(answer));
  std::FILE* file = std::tmpfile();
  Console out(file);
  SqlRunner runner(client, out, TimeZone(), {.format = format});
  testing::internal::CaptureStderr();
  Run run{runner.Run(sql), {}, testing::internal::GetCapturedStderr()};
  std::rewind(file);
  char buffer[4096];
  run.out.assign(buffer, std::fread(buffer, 1, sizeof buffer, file));
  std::fclose(file);
  return run;
}

constexpr const char* kAnswer =
    R"({"columns":[{"name":"id","type":"VARCHAR"},{"name":"n","type":"BIGINT"},{"name":"at","type":"TIMESTAMP WITH TIME ZONE"}],)"
    R"("rows":[["a",1,"2026-01-15T10:00:00Z"],["",null,null]],"stats":{"rows":2}})";

TEST(SqlTable, KeepsNullAndEmptyApart) {
  auto table = ToSqlTable(*Json::Parse(kAnswer), TimeZone());
  ASSERT_TRUE(table.ok());
  EXPECT_FALSE(table->columns[0].right_aligned);
  EXPECT_TRUE(table->columns[1].right_aligned);
  EXPECT_EQ(table->rows[0], (TextRow{"a", "1", "2026-01-15T10:00:00Z"}));
  EXPECT_EQ(table->rows[1], (TextRow{"", std::nullopt, std::nullopt}));
}

TEST(SqlTable, TimezoneFormatsOnlyPointsInTime) {
  io::RealWorld world(io::LogLevel::kError);
  auto table = ToSqlTable(
      *Json::Parse(
          R"({"columns":[{"name":"a","type":"TIMESTAMP WITH TIME ZONE"},{"name":"b","type":"VARCHAR"}],"rows":[["2026-01-15T10:00:00Z","2026-01-15T10:00:00Z"]]})"),
      *TimeZone::Make(world.env().files, "+02:00"));
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->rows[0], (TextRow{"2026-01-15T12:00:00+02:00", "2026-01-15T10:00:00Z"}));
}

TEST(SqlTable, RefusesWhatIsNoResult) {
  EXPECT_FALSE(ToSqlTable(*Json::Parse("{}"), TimeZone()).ok());
  EXPECT_FALSE(ToSqlTable(*Json::Parse(R"({"columns":[{"name":"a","type":"BIGINT"}],"rows":[[1,2]]})"), TimeZone()).ok());
}

TEST(SqlRunner, ATableEndsWithTheNumberOfRows) {
  auto run = RunWith(SqlFormat::kTable, {200, "application/json", -1, kAnswer});
  EXPECT_EQ(run.outcome, SqlOutcome::kDone);
  EXPECT_NE(run.out.find("a  │    1 │ 2026-01-15T10:00:00Z\n   │ NULL │ NULL\n(2 rows)\n"), std::string::npos) << run.out;
}

TEST(SqlRunner, JsonAndCsvPassByteForByte) {
  EXPECT_EQ(RunWith(SqlFormat::kJson, {200, "application/json", -1, kAnswer}).out, kAnswer);
  const std::string csv = "id,n\na,1\n\"\",\n";
  EXPECT_EQ(RunWith(SqlFormat::kCsv, {200, "text/csv", -1, csv}).out, csv);
}

TEST(SqlRunner, AnErrorSaysWhereAndWhat) {
  auto run = RunWith(SqlFormat::kTable,
                     {422, "application/problem+json", -1, R"({"detail":"no column \"x\"","hint":"Did you mean y?","position":12})"},
                     "SELECT é,\n x");
  EXPECT_EQ(run.outcome, SqlOutcome::kFailed);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "sluice sql: no column \"x\"\nline 2:  x\n         ^\nDid you mean y?\n");
}

TEST(SqlRunner, AResultThatBrokeOffIsAFailure) {
  auto ndjson = RunWith(SqlFormat::kNdjson, {200, "application/x-ndjson", -1,
                                             "{\"a\":1}\n{\"a\":2}\n{\"error\":{\"kind\":\"timeout\",\"message\":\"too late\"}}\n"});
  EXPECT_EQ(ndjson.outcome, SqlOutcome::kFailed);
  EXPECT_NE(ndjson.err.find("too late"), std::string::npos);
  auto table =
      RunWith(SqlFormat::kTable, {200, "application/json", -1,
                                  R"({"columns":[{"name":"a","type":"BIGINT"}],"rows":[[1]],"stats":{},"error":{"message":"too late"}})"});
  EXPECT_EQ(table.outcome, SqlOutcome::kFailed);
  EXPECT_EQ(RunWith(SqlFormat::kNdjson, {200, "application/x-ndjson", -1, "{\"error\":\"mine\"}\n"}).outcome, SqlOutcome::kDone);
}

SqlOutcome RunInto(std::FILE* file, FakeClient& client, SqlFormat format) {
  Console out(file);
  const auto outcome = SqlRunner(client, out, TimeZone(), {.format = format}).Run("SELECT 1");
  std::fclose(file);
  return outcome;
}

TEST(SqlRunner, AReaderThatLeftIsNoFailure) {
  FakeClient client;
  client.answers.push_back({200, "text/csv", -1, std::string(1 << 20, 'x')});
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(RunInto(fdopen(ends[1], "w"), client, SqlFormat::kCsv), SqlOutcome::kClosed);
  std::signal(SIGPIPE, before);
}

TEST(SqlRunner, OutputThatIsLostIsAFailure) {
  for (auto format : {SqlFormat::kCsv, SqlFormat::kTable}) {
    FakeClient client;
    client.answers.push_back({200, "application/json", -1, kAnswer});
    testing::internal::CaptureStderr();
    EXPECT_EQ(RunInto(std::fopen("/dev/full", "w"), client, format), SqlOutcome::kFailed);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("No space left on device"), std::string::npos);
  }
}

TEST(SqlRunner, PrintingCanBeInterrupted) {
  std::string rows = "[1]";
  for (int i = 0; i < 20'000; i++) rows += ",[1]";
  FakeClient client;
  client.answers.push_back({200, "application/json", -1, R"({"columns":[{"name":"a","type":"BIGINT"}],"stats":{},"rows":[)" + rows + "]}"});
  client.signal_at_piece = 2;
  EXPECT_EQ(RunInto(std::fopen("/dev/null", "w"), client, SqlFormat::kTable), SqlOutcome::kCancelled);
}

TEST(PositionText, CountsCharactersAndStaysInside) {
  EXPECT_EQ(PositionText("SELECT x", 8), "line 1: SELECT x\n               ^\n");
  EXPECT_EQ(PositionText("海 x", 3), "line 1: 海 x\n           ^\n");
  EXPECT_EQ(PositionText("abc", 4), "");
  EXPECT_EQ(PositionText("a\nbc", 3, 41), "line 42: bc\n         ^\n");
}

}  // namespace
}  // namespace sluice::cli
