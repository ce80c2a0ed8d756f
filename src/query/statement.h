// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One statement on one worker, from the server's side: answers its questions out of one read view, passes its rows on,
// interrupts it when it is cancelled or late, kills it when that does not help.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/env.h"
#include "query/arrow_stream.h"
#include "query/read_view.h"
#include "query/sql.h"
#include "query/worker_process.h"

namespace sluice::query {

// Numbers of data files that stay the same as long as a worker may remember a file by its number. Thread-safe.
class FileNumbers {
 public:
  static constexpr size_t kNumbersMax = 100'000;
  // Never a number of a hot chunk.
  uint64_t NumberOf(const std::string& uri);

 private:
  std::mutex mutex_;
  std::map<std::string, uint64_t> numbers_;
  uint64_t next_ = uint64_t{1} << 63;
};

// Asked to stop from any thread.
class CancelToken {
 public:
  explicit CancelToken(std::unique_ptr<io::Signal> signal) : signal_(std::move(signal)) {}
  void Cancel() {
    cancelled_.store(true);
    signal_->Notify();
  }
  bool cancelled() const { return cancelled_.load(); }
  io::Signal& signal() { return *signal_; }

 private:
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<io::Signal> signal_;
};

struct StatementResult {
  std::optional<QueryError> error;
  StatementStats stats;             // without elapsed_us
  std::optional<TableName> awaits;  // it failed because this table is loading, and the sink heard nothing: a later view has it
  bool worker_usable = false;       // may get the next statement
};

// Runs once, on one thread. All must outlive it.
class Statement {
 public:
  static constexpr int64_t kKillAfterMs = 250;  // from the interrupt
  // Of CPU time, all threads together. Up to then a statement has the same right to a core as the log; those that take more must not stop
  // it. Not time that passes: a statement that waits for a core takes nothing from anybody, and waits for ever if it loses its right by that.
  static constexpr int64_t kForegroundCpuMs = 200;
  static constexpr int64_t kForegroundLookMs = 10;  // between two looks at what it used, at least

  Statement(io::Env env, WorkerProcess& worker, const ReadView& view, FileNumbers& numbers, CancelToken& cancel, ResultSink& sink)
      : env_(env), worker_(worker), view_(view), numbers_(numbers), cancel_(cancel), sink_(sink) {}
  // Rows go to the sink (OnSchema, OnBatch); the end is told by what is returned. `deadline_ns`: of the monotonic clock.
  StatementResult Run(uint64_t id, const SqlRequest& request, int64_t deadline_ns);

 private:
  struct BoundView {
    const ViewTable* table;
    TablePart part;
    std::shared_ptr<const ViewTable> older;  // AT: keeps `table` alive
  };
  enum class Step : uint8_t { kContinue, kDone, kBroken };

  Step Handle(Frame frame, StatementResult& result);
  Step Answer(MessageType type, std::string_view payload, int descriptor = -1);
  Result<BoundMessage> Bind(const BindMessage& question);
  Step AnswerBind(std::string_view payload);
  Step AnswerScan(std::string_view payload, StatementStats& stats);
  Step AnswerOpen(std::string_view payload);
  Step AnswerOpenChunk(const ViewChunk& chunk);
  Step TakeResult(std::string payload);
  Step TakeDone(std::string_view payload, StatementResult& result);
  QueryError DamagedFile(uint64_t number, const std::string& what) const;
  // Takes the right away from a statement that has used it up.
  void LookAtCpu(int64_t now_ns);
  // What to wait for next; interrupts and kills. Nothing: the worker was killed.
  std::optional<int64_t> WaitNs(int64_t deadline_ns);
  QueryError WhyStopped() const;
  std::vector<ScannedFile> Describe(const TableScan& scan, StatementStats& stats);
  std::vector<TableStats> Freshness() const;

  const io::Env env_;
  WorkerProcess& worker_;
  const ReadView& view_;
  FileNumbers& numbers_;
  CancelToken& cancel_;
  ResultSink& sink_;

  uint64_t id_ = 0;
  std::optional<ArrowStreamReader> rows_;
  std::vector<BoundView> bound_;                                    // by handle
  std::map<uint64_t, std::variant<ViewFile, ViewChunk>> openable_;  // by number: a file, or a chunk that is kept
  std::optional<QueryError> stopped_;                               // why the worker was interrupted
  std::optional<TableName> awaits_;
  int64_t cpu_look_at_ns_ = 0;
  int64_t cpu_ns_max_ = 0;  // what the process may have used before it goes to the background
  int64_t kill_at_ns_ = 0;
  int64_t rows_sent_ = 0;
  bool has_begun_ = false;  // the sink heard of a schema
  bool killed_ = false;
};

}  // namespace sluice::query
