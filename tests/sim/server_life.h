// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One life of the server, from its start to a stop or a crash: the engine's pipeline with a loop around it, as server/engine.h has,
// and readers.

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ingest/gate.h"
#include "io/simulated_world.h"
#include "query/table_read_views.h"
#include "server/pipeline.h"
#include "sim/run_state.h"
#include "sim/table_outage.h"
#include "sim/view_check.h"

namespace sluice::sim {

// Not thread-safe: Run is called by the process's first actor, which is the loop.
class ServerLife {
 public:
  ServerLife(RunState& run, io::Env env);
  ~ServerLife();
  ServerLife(const ServerLife&) = delete;

  // Until somebody calls kStop, or the process crashes.
  void Run();

 private:
  struct Waiting {
    log::CommitSequence durable_after;
    std::shared_ptr<Call> call;
  };
  Result<void> Open();
  void Serve();
  void ServeHttp();
  void TakeCalls();
  void Take(const std::shared_ptr<Call>& call);
  void Ingest(const std::shared_ptr<Call>& call);
  void Flush(const std::shared_ptr<Call>& call);
  void AnswerDurable();
  void CheckPumps();
  void StartReader(const std::string& name, std::function<void()> body);
  void Read(int reader);
  void Pause(int64_t us);
  // As statements do: a table that is loading is awaited, or left out.
  enum class Loading : uint8_t { kLeftOut, kAwaited };
  struct View;
  bool MakeView(Loading loading, View& out);
  // Makes a view, holds it for a while, checks what it shows.
  void Look(int64_t held_us, bool lake_only, Loading loading);
  // A view did not show a table, and no injected fault was the reason.
  void Refused(const table::TableName& name, const Error& error);
  // What a view showed, for tests/history.
  void Record(const std::vector<ShownTable>& shown, history::Stamp invoked);
  bool HasDiverged(const table::Table& table) const;

  RunState& run_;
  server::ServerOptions options_;
  std::unique_ptr<io::FileSystem> placed_;  // of a directory that is a clone
  std::unique_ptr<io::FileSystem> files_;   // decorated ones, where the wiring has some
  std::unique_ptr<io::ObjectStore> objects_;
  io::Env env_;
  std::unique_ptr<OutageCatalog> catalog_;
  std::unique_ptr<server::Pipeline> pipeline_;
  std::unique_ptr<log::LogListener> listener_;
  std::unique_ptr<query::TableReadViews> views_;
  std::deque<Waiting> waiting_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<io::Thread>> readers_;  // each looks once, or again and again
};

}  // namespace sluice::sim
