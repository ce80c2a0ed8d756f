// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Two servers on copies of one log, on one catalog and one warehouse: somebody started a snapshot of the machine elsewhere, while the
// old one is dead, works on, or is frozen in the middle of something and wakes up later.
//
//   what has to hold, whoever is faster: a table has the rows of one of the two logs, each once and none missing; the server whose log
//   differs from them stops feeding it, says so, and keeps what it acknowledged in its log; nobody else stops.

#include <memory>
#include <string>

#include "sim/run_state.h"
#include "sim/supervisor.h"

namespace sluice::sim {

class RivalServer {
 public:
  // `original` outlives it; `env`: of the world outside.
  RivalServer(RunState& original, io::Env env);

  // Adds the actor that takes the snapshot, at some moment, and starts the other server with clients of its own.
  void Plan();
  // Null: it never came to that.
  RunState* run() { return run_.get(); }
  // When all have ended: what is wrong with the tables, or nothing.
  std::string Check();

 private:
  void Begin();
  void Freeze(RunState& run, int64_t us);
  void FreezeNowAndThen();

  RunState& original_;
  io::Env env_;
  Dice dice_;
  std::unique_ptr<RunState> run_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace sluice::sim
