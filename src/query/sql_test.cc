// SPDX-License-Identifier: Apache-2.0
#include "query/sql.h"

#include <gtest/gtest.h>

#include "query/worker_options.h"

namespace sluice::query {
namespace {

TEST(SqlRequest, IsBounded) {
  SqlRequest request;
  request.sql = std::string(kSqlBytesMax, ' ');
  EXPECT_TRUE(ValidateRequest(request).ok());
  request.sql += ' ';
  EXPECT_EQ(ValidateRequest(request).error().code, ErrorCode::kExhausted);
  request.sql = "SELECT 1";
  request.parameters.assign(kSqlParametersMax, int64_t{1});
  EXPECT_TRUE(ValidateRequest(request).ok());
  request.parameters.emplace_back(true);
  EXPECT_EQ(ValidateRequest(request).error().code, ErrorCode::kExhausted);
  request.parameters = {std::string(kSqlParameterBytesMax, 'x')};
  EXPECT_TRUE(ValidateRequest(request).ok());
  request.parameters.emplace_back(std::string("y"));
  EXPECT_EQ(ValidateRequest(request).error().code, ErrorCode::kExhausted);
}

TEST(SqlRequest, TimeoutIsPositiveAndBounded) {
  SqlRequest request;
  for (int64_t bad : {int64_t{-1}, int64_t{0}, kTimeoutMsMax + 1}) {
    request.timeout_ms = bad;
    EXPECT_EQ(ValidateRequest(request).error().code, ErrorCode::kInvalid) << bad;
  }
  for (int64_t good : {int64_t{1}, kTimeoutMsMax}) {
    request.timeout_ms = good;
    EXPECT_TRUE(ValidateRequest(request).ok()) << good;
  }
}

TEST(TableNames, SuffixesNameParts) {
  using P = std::pair<std::string, TablePart>;
  EXPECT_EQ(SplitTableName("events"), P("events", TablePart::kAll));
  EXPECT_EQ(SplitTableName("events__hot"), P("events", TablePart::kHot));
  EXPECT_EQ(SplitTableName("events$hot"), P("events", TablePart::kHot));
  EXPECT_EQ(SplitTableName("Events__HOT"), P("Events", TablePart::kHot));
  EXPECT_EQ(SplitTableName("events__lake"), P("events", TablePart::kLake));
  EXPECT_EQ(SplitTableName("user_events$snapshots"), P("user_events", TablePart::kSnapshots));
  EXPECT_EQ(SplitTableName("events__files"), P("events", TablePart::kFiles));
  EXPECT_EQ(SplitTableName("events_hot"), P("events_hot", TablePart::kAll));
  EXPECT_EQ(SplitTableName("__hot"), P("__hot", TablePart::kAll));
  EXPECT_EQ(SplitTableName("hot"), P("hot", TablePart::kAll));
}

TEST(QueryErrors, EveryKindHasAName) {
  for (uint8_t i = 0; i < kQueryErrorKindCount; i++) EXPECT_FALSE(QueryErrorName(static_cast<QueryErrorKind>(i)).empty());
}

TEST(WorkerOptions, ComeBackFromTheCommandLine) {
  WorkerOptions options;
  options.nonce = "0123abcdef";
  options.threads = 3;
  options.spill_files = 0;
  auto back = ParseWorkerOptions(ToArguments(options));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->nonce, options.nonce);
  EXPECT_EQ(back->threads, 3u);
  EXPECT_EQ(back->spill_files, 0u);
  EXPECT_FALSE(back->trap);
}

TEST(WorkerOptions, RefuseWhatTheServerWouldNotSay) {
  for (auto* word : {"--unknown=1", "--threads=0", "--threads=x", "--threads=1x", "--threads", "--data_mb=99999999999999999999",
                     "--nonce=../x", "--nonce=", "--trap=2"})
    EXPECT_FALSE(ParseWorkerOptions({"worker", "--nonce=ab", word}).ok()) << word;
  EXPECT_FALSE(ParseWorkerOptions({"worker"}).ok()) << "a nonce is needed";
}

}  // namespace
}  // namespace sluice::query
