// SPDX-License-Identifier: Apache-2.0
//
// The life of worker processes: cancel, timeout, death, queue. And main(): the test's executable is its own worker.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>

#include "query/statement.h"
#include "query/worker/sandbox_probe.h"
#include "query/worker/worker_fixture.h"
#include "query/worker/worker_main.h"

namespace sluice::query {
namespace {

constexpr const char* kEndless = "SELECT count(*) FROM range(100000000000) a WHERE hash(a.range) = 7";
constexpr const char* kManyRows = "SELECT range, md5(range::VARCHAR) FROM range(20000000)";

SqlRequest Request(const std::string& sql, int64_t timeout_ms = 120'000) {
  SqlRequest request;
  request.sql = sql;
  request.timeout_ms = timeout_ms;
  return request;
}

TEST(WorkerLife, CancelEndsAStatement) {
  TestSession s;
  auto result = s.Run(Request(kEndless), [](Session& session, Session::StatementId id) { session.Cancel(id); });
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, QueryErrorKind::kCancelled);
  EXPECT_EQ(s.Run("SELECT 1").text(), "1\n");
}

TEST(WorkerLife, CancelFromTheSinkEndsAResult) {
  TestSession s;
  int batches = 0;
  auto result = s.Run(Request(kManyRows), {}, [&]() -> Result<void> {
    if (++batches == 3) return Error{ErrorCode::kCancelled, "the client is gone", ""};
    return {};
  });
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, QueryErrorKind::kCancelled);
  EXPECT_EQ(result.error->message, "the client is gone");
  EXPECT_LT(result.stats.rows, 1'000'000) << "the window stops the worker";
}

TEST(WorkerLife, TimeoutInterrupts) {
  TestSession s;
  auto result = s.Run(kEndless, {}, 300);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, QueryErrorKind::kTimeout);
  EXPECT_EQ(s.Run("SELECT 1").text(), "1\n");
}

// Of this process's workers: how many run in the background.
int WorkersInBackground() {
  int count = 0;
  for (auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(thread.path() / "children");
    for (pid_t pid = 0; children >> pid;) count += sched_getscheduler(pid) == SCHED_IDLE;
  }
  return count;
}

TEST(WorkerLife, StatementThatComputesForLongLeavesTheCoresToOthers) {
  TestSession s;
  auto result = s.Run(Request(kEndless), [](Session& session, Session::StatementId id) {
    while (WorkersInBackground() == 0) std::this_thread::yield();  // for ever, if it does not
    session.Cancel(id);
  });
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, QueryErrorKind::kCancelled) << result.text();
}

// Goal: a statement that waits, here for its client, loses nothing by that. Method: a client that takes longer for a batch than the
// statement may compute; the worker has filled the window by then and stands still.
TEST(WorkerLife, StatementThatWaitsKeepsItsRightToACore) {
  TestSession s;
  int batches = 0, in_background = 0;
  s.Run(Request("SELECT range, repeat('x', 1000) FROM range(20000)"), {}, [&]() -> Result<void> {
    if (++batches == 1) s.env.threads.NewSignal()->Wait(2 * Statement::kForegroundCpuMs * 1'000);
    in_background += WorkersInBackground();
    return {};
  });
  EXPECT_GE(batches, 3);
  EXPECT_EQ(in_background, 0);
}

// Goal: what DuckDB cannot interrupt is killed. Method: one call of a function that takes minutes.
TEST(WorkerLife, TimeoutKillsWhatCannotBeInterrupted) {
  TestSession s;
  auto result = s.Run("SELECT levenshtein(repeat('ab', 400000), repeat('ba', 400000))", {}, 300);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, QueryErrorKind::kTimeout) << result.text();
  EXPECT_EQ(s.Run("SELECT 1").text(), "1\n");
}

// Goal: the death of a worker is one statement's error.
// Method: kill every worker in the middle of a result.
TEST(WorkerLife, DeathInTheMiddleOfAResultIsAnError) {
  TestSession s;
  auto setup = WorkerSetup{};
  setup.options.spill_files = 0;
  auto worker = WorkerProcess::Start(s.env, setup);
  ASSERT_TRUE(worker.ok()) << worker.error().ToString();
  ASSERT_TRUE((*worker)->WaitReady(60'000).ok());
  auto view = s.lake.NewView();
  class KillingSink : public ResultSink {
   public:
    explicit KillingSink(WorkerProcess& process) : process_(process) {}
    Result<void> OnSchema(const ArrowSchema&) override { return {}; }
    Result<void> OnBatch(Columns) override {
      process_.Kill();
      return {};
    }
    void OnDone(const StatementStats&) override {}
    void OnError(const QueryError&, const StatementStats&) override {}

   private:
    WorkerProcess& process_;
  } sink(**worker);
  FileNumbers numbers;
  CancelToken cancel(s.env.threads.NewSignal());
  Statement statement(s.env, **worker, **view, numbers, cancel, sink);
  auto result = statement.Run(1, Request(kManyRows), s.env.clock.MonotonicNs() + int64_t{120'000'000'000});
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, QueryErrorKind::kWorkerDied);
  EXPECT_FALSE(result.worker_usable);
  EXPECT_EQ(s.Run("SELECT 1").text(), "1\n");
}

// Method: one worker that is busy with an endless statement; the next one may wait 200 ms.
TEST(WorkerLife, WaitingEndsWithItsTimeout) {
  SessionOptions options;
  options.workers = 1;
  options.spares = 0;
  TestSession s(options);
  TestResult second;
  auto first = s.Run(Request(kEndless), [&](Session& session, Session::StatementId id) {
    second = s.Run("SELECT 1", {}, 200);
    session.Cancel(id);
  });
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->kind, QueryErrorKind::kExhausted);
  EXPECT_EQ(first.error->kind, QueryErrorKind::kCancelled);
}

TEST(WorkerLife, QueueIsBounded) {
  SessionOptions options;
  options.workers = 1;
  options.queue_max = 2;
  TestSession s(options);
  class Nobody : public ResultSink {
   public:
    Result<void> OnSchema(const ArrowSchema&) override { return {}; }
    Result<void> OnBatch(Columns) override { return {}; }
    void OnDone(const StatementStats&) override {}
    void OnError(const QueryError&, const StatementStats&) override {}
  };
  size_t taken = 0;
  Result<Session::StatementId> last = s.session->Submit(Request(kEndless), std::make_shared<Nobody>());
  for (; last.ok() && taken < 10; taken++) last = s.session->Submit(Request(kEndless), std::make_shared<Nobody>());
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().code, ErrorCode::kExhausted);
  EXPECT_LE(taken, 4u);
}

TEST(WorkerLife, SlowReaderDoesNotLoseRows) {
  TestSession s;
  auto result = s.Run("SELECT count(*), sum(range) FROM (SELECT range FROM range(3000000))");
  EXPECT_EQ(result.text(), "3000000|4499998500000\n");
  auto rows = s.Run("SELECT range FROM range(300000)");
  EXPECT_EQ(rows.rows.size(), 300'000u);
  EXPECT_EQ(rows.rows.back(), "299999");
}

}  // namespace
}  // namespace sluice::query

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "worker") return sluice::query::WorkerMain(argc, argv);
  if (argc > 2 && std::string_view(argv[1]) == "probe") return sluice::query::ProbeSandbox(argv[2]);
  signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
