// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests only: tables of Parquet files and hot chunks, and a session with real worker processes over them. The test's
// executable is its own worker (worker_process_test.cc has main).

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/env.h"
#include "io/test_directory.h"
#include "query/session.h"

namespace sluice::query {

// One event, as far as the tests look at it. The other columns of its row follow from `number`.
struct TestEvent {
  uint64_t number = 0;
  std::string id, source, type;
  int64_t time_us = 0;
  std::optional<std::string> subject, data;
  std::vector<std::pair<std::string, std::string>> extensions;
};
TestEvent MakeTestEvent(uint64_t number);
std::vector<TestEvent> MakeTestEvents(uint64_t first, size_t count);

// Tables that tests fill; each NewView is a copy of what is there. Thread-safe.
class TestLake : public ReadViewSource {
 public:
  struct Table {
    TableInfo info;
    std::vector<ViewFile> files;
    std::vector<ViewChunk> chunks;
    std::map<int64_t, std::vector<ViewFile>> snapshots;  // for AT
    std::optional<Error> scan_error;
  };
  explicit TestLake(io::Env env) : directory(env.files), env_(env) {}

  // bronze.<name> with the 25 columns and the old names, no rows.
  static Table NewEventsTable(const std::string& name);
  ViewFile WriteFile(const std::string& name, const std::vector<TestEvent>& events);
  // The same with a seal (iceberg/data_file_seal.h); one bit of byte `damaged` of the file is another one then.
  ViewFile WriteSealedFile(const std::string& name, const std::vector<TestEvent>& events, std::optional<size_t> damaged = std::nullopt);
  // Several when one is full.
  std::vector<ViewChunk> WriteChunks(const std::vector<TestEvent>& events);
  // Row counts are made from files and chunks.
  void Put(Table table);
  std::vector<std::vector<iceberg::ColumnFilter>> scans() const;

  Result<std::shared_ptr<const ReadView>> NewView() override;

  io::TestDirectory directory;
  std::function<void()> on_scan;  // called at every scan, before it is answered

 private:
  friend class TestTable;
  ViewFile WriteBytes(const std::string& name, const std::string& bytes, size_t rows);
  const io::Env env_;
  mutable std::mutex mutex_;
  std::map<std::string, Table> tables_;
  std::vector<std::vector<iceberg::ColumnFilter>> scans_;
  uint64_t next_chunk_ = 1;
};

// A result as text: one line a row, values joined by '|'.
struct TestResult {
  std::vector<std::string> names;
  std::vector<std::string> rows;
  std::optional<QueryError> error;
  StatementStats stats;

  // All rows, or the error as "kind: message".
  std::string text() const;
};

class TestSession {
 public:
  explicit TestSession(SessionOptions options = {});
  // Runs to the end.
  TestResult Run(const std::string& sql, std::vector<SqlParameter> parameters = {}, int64_t timeout_ms = 120'000);
  // `after_submit` runs on this thread; the sink calls `on_batch` before it takes a batch.
  TestResult Run(SqlRequest request, const std::function<void(Session&, Session::StatementId)>& after_submit,
                 const std::function<Result<void>()>& on_batch = {});

  io::RealWorld world{io::LogLevel::kError};
  io::Env env = world.env();
  TestLake lake{env};
  std::unique_ptr<Session> session;
};

}  // namespace sluice::query
