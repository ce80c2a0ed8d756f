// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the actors of a run share: the surroundings, which all servers have in common, and for each server what its lives and its
// clients have.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "history/history.h"
#include "ingest/gate.h"
#include "io/simulated_world.h"
#include "sim/foreign_metadata.h"
#include "sim/ledger.h"
#include "sim/network.h"
#include "sim/reached.h"
#include "sim/scenario.h"
#include "sim/table_rows.h"
#include "sim/verdict.h"
#include "sim/wiring.h"
#include "table/topic_name.h"

namespace sluice::sim {

struct Surroundings {
  const Scenario& scenario;
  const Wiring& wiring;
  io::SimulatedWorld& world;
  Verdict verdict = {};
  DataFiles data_files = {};
  bool faults_on = true;  // errors of the simulated disk and catalog are to be expected
  int senders_at_work = 0;
  uint64_t disk_bytes_max = 0;                    // as SimulationOptions has it at the moment
  std::set<table::TableName> broken_tables = {};  // the catalog does not answer for them
  // Another engine took their progress away.
  struct Visited {
    bool waits = true;   // for somebody to say where it goes on
    bool taken = false;  // and nobody has said it since: who feeds it may not know, if nothing came for it
    int attempts = 0;
  };
  std::map<table::TableName, Visited> visited = {};
  int visits = 0;                                                    // so far
  std::map<table::TableName, std::vector<MetadataMark>> marks = {};  // of another engine, in their metadata
  std::set<table::TableName> with_deletes = {};                      // another engine wrote delete files into them
  std::map<std::string, std::string> guests = {};                    // tables of its own, and what is wrong with them
  Reached reached = {};
  history::Stamp stamp = 0;  // grows with everything that is recorded
  int64_t views = 0, unanswered = 0, lives = 0, crashes = 0;
};

// One server through all its lives. Everything outlives the run.
struct RunState {
  Surroundings& all;
  std::string server = "main";  // its processes' name in the world
  Path place = {};              // in front of the paths of its directory, except those of the warehouse; empty: it is where it says

  const Scenario& scenario = all.scenario;
  const Wiring& wiring = all.wiring;
  io::SimulatedWorld& world = all.world;
  Verdict& verdict = all.verdict;
  Reached& reached = all.reached;
  bool& faults_on = all.faults_on;

  Ledger ledger = {};
  history::History history = {};  // of the same clients and views, for a judge that knows nothing of the ledger
  Network network = Network(scenario, server);
  int act = 1;
  int64_t act_began_us = 0;  // wall clock
  bool has_backup = false;
  bool stop_asked = false;               // of the present life, in good order
  bool restarts = false;                 // it ended so
  std::vector<int64_t> crashes_ns;       // monotonic
  std::vector<int64_t> acknowledged_ns;  // of ledger.acknowledged(): when

  // Of two servers on copies of one log:
  bool has_rival = false;                    // there is another one, or was
  bool retired = false;                      // it does not start any more: the other one fed a table with other rows
  std::set<table::TableName> diverged = {};  // paused for the same reason
  int64_t frozen_until_ns = 0;               // monotonic: it does not answer, and cannot start
};

}  // namespace sluice::sim
