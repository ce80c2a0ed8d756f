// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One life of the server, from its start to a stop or a crash: the engine's pipeline with a loop around it, as server/engine.h has,
// and readers. Clients reach it through a mailbox, which stands for the network: what is in it when the server dies is lost.

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
#include "sim/ledger.h"
#include "sim/reached.h"
#include "sim/scenario.h"
#include "sim/table_outage.h"
#include "sim/table_rows.h"
#include "sim/verdict.h"
#include "sim/wiring.h"
#include "sim/workload.h"

namespace sluice::sim {

// What a client asks, and the answer to it. Shared by both: a client may have given up when the answer comes.
struct Call {
  enum class Kind : uint8_t { kIngest, kFlush, kLook, kStop };
  struct EventAnswer {
    std::string topic;  // empty: rejected
    Place place;
    bool duplicate = false;
  };
  Kind kind = Kind::kIngest;
  std::shared_ptr<const Request> request;  // of kIngest
  std::shared_ptr<io::Signal> bell;        // the client's; rung when done
  bool done = false;
  ingest::IngestStatus status = ingest::IngestStatus::kTaken;
  std::string message;  // of a refusal; of a flush or look that failed
  std::vector<EventAnswer> events;
};

struct Mailbox {
  std::deque<std::shared_ptr<Call>> calls;
  io::Signal* bell = nullptr;  // the server's; null: nobody listens
  // False: connection refused.
  bool Post(std::shared_ptr<Call> call);
};

// What all lives of a run share. Everything outlives the run.
struct RunState {
  const Scenario& scenario;
  const Wiring& wiring;
  io::SimulatedWorld& world;
  Ledger ledger = {};
  DataFiles data_files = {};
  Verdict verdict = {};
  Mailbox mailbox = {};
  bool faults_on = true;  // errors of the simulated disk and catalog are to be expected
  int senders_at_work = 0;
  int act = 1;
  int64_t act_began_us = 0;  // wall clock
  bool has_backup = false;
  uint64_t disk_bytes_max = 0;                    // as SimulationOptions has it at the moment
  std::set<table::TableName> broken_tables = {};  // the catalog does not answer for them
  Reached reached = {};
  int64_t views = 0, commits = 0, answers = 0, unanswered = 0, lives = 0, crashes = 0;
};

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
  static void Finish(Call& call);

  RunState& run_;
  server::ServerOptions options_;
  std::unique_ptr<io::FileSystem> files_;  // decorated ones, where the wiring has some
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
