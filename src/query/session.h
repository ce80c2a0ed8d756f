// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// SQL for the front ends: statements wait in one queue, run on a few threads with one worker process each, see one read view
// each, and end with exactly one call to their sink.
//
//   Submit ─▶ queue (bounded) ─▶ query thread: worker, view, Statement ─▶ sink
//               ▲                                    │
//               └── waits, nobody's thread ◀─────────┘ a table that is still loading

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "io/env.h"
#include "io/metrics.h"
#include "query/sql.h"
#include "query/statement.h"
#include "query/worker_pool.h"

namespace sluice::query {

struct SessionOptions {
  size_t workers = 2;         // statements at a time
  size_t spares = 1;          // ready beyond them
  size_t queue_max = 256;     // waiting statements; one more is kExhausted
  WorkerOptions worker;       // but its nonce
  Path spill_directory;       // on a disk with room for workers x spill_files x spill_mb; empty: no spilling

  // kInvalid: a bound is zero or beyond reason.
  Result<void> Validate() const;
};

inline constexpr io::MetricFamily kStatementsMetric{"sluice_query_statements_total", "SQL statements by how they ended.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kStatementSecondsMetric{"sluice_query_statement_seconds", "Time from submitting a SQL statement to its last row.", io::MetricType::kHistogram};
inline constexpr io::MetricFamily kWorkersLostMetric{"sluice_query_workers_discarded_total", "SQL worker processes that were ended before the server's own end.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kQueuedMetric{"sluice_query_queued_statements", "SQL statements that wait for a worker.", io::MetricType::kGauge};
inline constexpr io::MetricFamily kMappedMetric{"sluice_query_mapped_bytes", "Bytes of hot chunks that idle SQL workers keep mapped.", io::MetricType::kGauge};

// Thread-safe.
class Session {
 public:
  using StatementId = uint64_t;

  // Starts the threads and workers. `views` must outlive it. kInvalid: the options.
  static Result<std::unique_ptr<Session>> Open(io::Env env, SessionOptions options, ReadViewSource& views);
  // Cancels what runs, ends what waits (kCancelled), joins the threads, ends the workers. Waits for sinks that block: their
  // front lets go of its clients first.
  ~Session();

  // Queues a statement; its end is told to `sink`, from a query thread. kInvalid: ValidateRequest. kExhausted: the queue is
  // full; then the sink hears nothing.
  Result<StatementId> Submit(SqlRequest request, std::shared_ptr<ResultSink> sink);
  // The statement ends as kCancelled soon, if it has not ended. Unknown ids are ignored.
  void Cancel(StatementId id);

 private:
  struct Pending {
    StatementId id;
    SqlRequest request;
    std::shared_ptr<ResultSink> sink;
    std::unique_ptr<CancelToken> cancel;
    int64_t submitted_ns;
    int64_t deadline_ns;
    std::optional<TableName> awaits;  // it begins anew, with a new view, once this table is loaded
  };
  struct QueryThread {
    std::unique_ptr<io::Signal> wake;
    std::unique_ptr<io::Thread> thread;
  };

  Session(io::Env env, SessionOptions options, ReadViewSource& views);
  void Work(QueryThread& self);
  // The next statement; ends those whose time ran out while they waited. Nothing: the session closes.
  std::shared_ptr<Pending> Next(QueryThread& self);
  // False: it goes back to the queue.
  bool RunOne(Pending& pending);
  void QueueAgain(std::shared_ptr<Pending> pending);
  std::unique_ptr<WorkerProcess> TakeWorker(const Pending& pending);
  void Finish(Pending& pending, StatementResult result);
  // Ends waiting statements that are late or cancelled, and wakes threads for those whose table is loaded. Returns how long nothing more
  // becomes late; negative: for ever.
  int64_t EndOverdueUs();
  void WatchTheQueue();
  void WakeAll();

  const io::Env env_;
  const SessionOptions options_;
  ReadViewSource& views_;
  FileNumbers numbers_;
  WorkerPool pool_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<Pending>> waiting_;
  std::map<StatementId, std::shared_ptr<Pending>> live_;  // waiting and running
  StatementId next_id_ = 1;
  bool closing_ = false;
  std::vector<std::unique_ptr<QueryThread>> threads_;
  std::unique_ptr<io::Signal> clerk_wake_;
  std::unique_ptr<io::Thread> clerk_;  // ends waiting statements in time
};

}  // namespace sluice::query
