// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Sends a workload over kept-alive HTTP/1.1 connections from one thread, and notes how long each answer took. Closed loop: every
// connection sends as soon as it was answered. Open loop: requests are due at fixed times whether earlier ones were answered or not, and
// the latency counts from the time a request was due (no coordinated omission).
//
// It reads of HTTP just what it needs: a client that did more would take the cores that it wants to measure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "load/workload.h"

namespace sluice::bench {

struct LoadOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;
  size_t connections = 64;
  double seconds = 10;
  double warmup_seconds = 1;     // sent, not measured
  double events_per_second = 0;  // 0: closed loop
  std::string ledger;            // file of acknowledged ids, "" for none: "first count" in decimal, a line for each request
};

struct LoadReport {
  uint64_t events_measured = 0, requests_measured = 0;
  uint64_t events_answered = 0;   // with 200, the warm-up included
  uint64_t requests_refused = 0;  // other answers; the first one's head is in `refusal`
  std::string refusal;
  double seconds = 0;                // measured
  uint64_t requests_unsent = 0;      // open loop: due, but no connection was free
  bool server_gone = false;          // before the time was up; only with a ledger
  std::vector<uint32_t> latency_us;  // of each measured request, ascending

  // 0 <= q <= 1; 0 when nothing was measured.
  uint32_t LatencyAt(double q) const;
};

// kUnavailable: cannot connect, or a connection broke and there is no ledger. kIo: the ledger cannot be written.
Result<LoadReport> RunLoad(Workload& workload, size_t events_per_request, const LoadOptions& options);

}  // namespace sluice::bench
