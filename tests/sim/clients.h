// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The actors outside of the server: they live on when it dies, and their only io is waiting.

#include <memory>

#include "io/env.h"
#include "sim/http_client.h"
#include "sim/run_state.h"
#include "sim/workload.h"

namespace sluice::sim {

// Posts `call` and waits for its answer. False: no server, or no answer in time.
bool Ask(RunState& run, io::Env env, const std::shared_ptr<io::Signal>& bell, const std::shared_ptr<Call>& call, int64_t patience_us);

// Sends its requests one after the other, each until it is answered, and tells the ledger.
class Sender {
 public:
  Sender(RunState& run, io::Env env, int number, int requests);
  void Run();

 private:
  void Deliver(const Request& request);
  // A client over HTTP may do something else with it, once. False: it delivers it.
  bool GoesAway(const Request& request);
  void Tell(const Request& request, int sender);
  // What the history knows of it; the outcome is told when there is one.
  size_t BeginRecord(const Request& request, const std::string& client);
  void EndRecord(size_t at, const Call& call);
  bool IsServed() const { return run_.verdict.ok() && !run_.retired; }
  // False: to be sent again. `acknowledged`: events that were when the call was made.
  bool Judge(const Request& request, const Call& call, size_t acknowledged);
  void Accept(const Request& request, const Call& call, size_t acknowledged);

  RunState& run_;
  io::Env env_;
  const int number_, requests_;
  Dice dice_;
  Workload workload_;
  const std::shared_ptr<io::Signal> bell_;
  std::unique_ptr<HttpClient> http_;
  int left_ = 0;  // requests without waiting for their answers
};

// Asks for flushes meanwhile; their outcome is nobody's business.
void AskForFlushes(RunState& run, io::Env env);

// The wall clock jumps now and then.
void JumpClocks(RunState& run, io::Env env);
// The disk is full for a while, now and then.
void FillDisks(RunState& run, io::Env env);
// The catalog does not answer for one of the tables for a while, now and then.
void BreakTables(RunState& run, io::Env env);

// When the senders are done: switches faults off, flushes, looks at the lake, stops the server.
void Close(RunState& run, io::Env env);

}  // namespace sluice::sim
