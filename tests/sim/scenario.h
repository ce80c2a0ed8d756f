// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Everything that is decided before a run begins.

#include <cstdint>
#include <string>
#include <vector>

#include "front/http/http_options.h"
#include "io/simulated_world.h"
#include "server/options.h"
#include "sim/reached.h"
#include "sim/workload.h"

namespace sluice::sim {

// Requests as HTTP on simulated connections, instead of at the depth of requests.
struct HttpScenario {
  bool is_used = false;
  front::http::HttpOptions options;
  uint64_t body_bytes_max = 200'000;
  int64_t trickle_us_max = 20'000;
  // Of requests: nobody waits for the answer; a part is sent; more is sent than may be.
  uint64_t left_one_in = 12, part_one_in = 8, too_much_one_in = 30;
  int crowds = 0;  // times in which more connections come than may
  int stops = 0;   // of the server, in good order
};

struct Scenario {
  uint64_t seed = 0;
  io::SimulationOptions faults;  // of the world, until the senders are done
  server::ServerOptions server;
  WorkloadOptions workload;
  int senders = 2;
  int requests = 12;  // of each sender
  int readers = 1;
  int64_t pause_us_max = 20'000;        // of a sender, between two requests
  uint64_t long_pause_one_in = 0;       // pauses of up to half a minute: intervals pass, snapshots expire; 0: none
  int64_t patience_us = 200'000;        // of a sender, until it sends again
  uint64_t double_delivery_one_in = 0;  // requests that the network delivers twice; 0: none
  int64_t view_pause_us_max = 300'000;  // of a reader, between two views
  int64_t view_held_us_max = 0;         // between a view's making and its reading
  int views_max = 20;                   // of a reader, in one life of the server
  int flushes = 0;                      // by somebody who asks for them, meanwhile
  int crashes = 0;                      // seeded ones
  int clock_jumps = 0;                  // of the wall clock, in both directions
  int full_disks = 0;                   // times in which no file can grow
  int table_outages = 0;                // times in which the catalog does not answer for one of the tables
  int visits = 0;                       // of another engine to the tables
  int64_t visit_pause_us_max = 0;
  int64_t outage_us_max = 0;
  int64_t outage_pause_us_max = 200'000;  // before each of them
  uint64_t message_lost_one_in = 0;       // requests and answers that never arrive; 0: none
  int64_t message_delay_us_max = 0;       // on the way to the server, and back; one overtakes the other
  HttpScenario http;
  bool has_rival = false;       // a second server on a copy of the log and the same catalog
  bool has_second_act = false;  // ten hours after the end: another start, more requests, no file that nobody refers to
  bool restores = false;        // before it, the log comes back from a backup

  bool has_faults() const {
    return faults.catalog_unavailable + faults.catalog_unknown + faults.object_unavailable + faults.sync_error + faults.write_error +
               faults.read_error + full_disks + table_outages >
           0;
  }
  bool has_lie() const { return faults.lie.kind != io::DiskLie::Kind::kNone || faults.catalog_lie.kind != io::CatalogLie::Kind::kNone; }
  // "2 senders x 12 requests, 1 reader, 3 crashes, catalog faults, ..."
  std::string ToString() const;
};

// Sends its requests over HTTP, with habits and faults of connections that the seed decides.
void UseHttp(Scenario& scenario);

// A run of a seed: small, with everything switched on or off.
Scenario RandomScenario(uint64_t seed);
// The same, on a disk that lies once and does nothing else wrong: that is one in eight of the others, too.
Scenario LyingScenario(uint64_t seed);
// The same with a catalog that lies once; one in twelve of the others, but for those whose disk lies.
Scenario CatalogLieScenario(uint64_t seed);
// A run with two servers, as one in four of the others is.
Scenario RivalScenario(uint64_t seed);
// A run with another engine on the same catalog.
Scenario VisitScenario(uint64_t seed);
// One of each thing and no crash: the sweep stops it at every io call. In those of even seeds a table does not get on for a while, and
// memory is short.
Scenario ScriptedScenario(uint64_t seed);
// What it comes to before it is worth a sweep.
std::vector<Reach> ScriptedReach(uint64_t seed);

}  // namespace sluice::sim
