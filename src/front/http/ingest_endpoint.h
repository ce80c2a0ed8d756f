// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// POST /v1/events and POST /v1/topics/{topic}/events: requests go through the gate at once, answers leave when the log is durable.

#include <deque>
#include <string>
#include <vector>

#include "base/principal.h"
#include "front/http/http_message.h"
#include "front/http/responder.h"
#include "front/http/router.h"
#include "ingest/gate.h"
#include "log/types.h"

namespace sluice::front::http {

// The loop's. `gate` must outlive it.
class IngestEndpoint {
 public:
  explicit IngestEndpoint(ingest::Gate& gate) : gate_(gate) {}
  IngestEndpoint(const IngestEndpoint&) = delete;

  // `body_bytes_max`: of a body as it is received.
  std::vector<Route> Routes(uint64_t body_bytes_max);
  // Answers every request whose events are durable now. After each round of the loop.
  void Answer(log::CommitSequence durable);
  // Requests that wait for their commit.
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    log::CommitSequence durable_after;
    Responder responder;
    HttpResponse response;
  };
  void Take(HttpRequest& request, Responder responder, std::string_view topic);

  ingest::Gate& gate_;
  const Principal principal_;
  std::deque<Waiting> waiting_;  // by durable_after: commits become durable in order
  std::vector<event::HttpHeader> headers_;
};

// `handling=lenient` and `return=minimal` of RFC 7240, other preferences are skipped.
struct IngestPreferences {
  bool lenient = false;
  bool minimal = false;
};
IngestPreferences ParsePreferences(std::string_view prefer);

}  // namespace sluice::front::http
