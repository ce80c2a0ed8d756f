// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The network between clients and a server, at the depth of requests: what is sent may arrive late, in another order, more than once, or
// never; so may answers, after their effect.
//
//   Send ──▶ on its way ──▶ Take (the server's loop) ──▶ Answer ──▶ on its way ──▶ Call::done, its bell rings

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingest/gate.h"
#include "io/env.h"
#include "sim/dice.h"
#include "sim/ledger.h"
#include "sim/scenario.h"
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
using CallPtr = std::shared_ptr<Call>;

// Outlives the run. Not thread-safe: whoever holds the baton uses it, and only Run does io.
class Network {
 public:
  Network(const Scenario& scenario, const std::string& server);

  // False: connection refused. True: it is on its way, or lost.
  bool Send(const CallPtr& call);
  // What is done now is delivered at once and for certain: nothing of the scenario's faults happens any more.
  void Calm() { calm_ = true; }
  // The actor that carries what takes time, until Stop.
  void Run(io::Env env);
  void Stop();

  // The server's side. `bell` rings when a call arrives; null: nobody listens, what has arrived and not been taken is lost.
  void Listen(io::Signal* bell);
  // The next call that has arrived; null: none.
  CallPtr Take();
  // Never to be called twice for one call.
  void Answer(const CallPtr& call);

 private:
  void Later(int64_t delay_us, std::function<void()> act);
  void Arrive(const CallPtr& call);
  // Of a message; negative: it is lost.
  int64_t Delay();

  const Scenario& scenario_;
  Dice dice_;
  bool calm_ = false, stopped_ = false;
  io::Signal* listener_ = nullptr;
  std::deque<CallPtr> arrived_;
  std::shared_ptr<io::Signal> carrier_;  // of Run
  io::Clock* clock_ = nullptr;
  uint64_t order_ = 0;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> under_way_;  // by monotonic time, then order
};

}  // namespace sluice::sim
