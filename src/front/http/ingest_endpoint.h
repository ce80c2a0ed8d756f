// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// POST /v1/events and POST /v1/topics/{topic}/events: small requests go through the gate at once, large and compressed ones are
// decoded on other threads first; answers leave when the log is durable.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/principal.h"
#include "front/http/http_message.h"
#include "front/http/responder.h"
#include "front/http/router.h"
#include "ingest/decode_thread.h"
#include "ingest/gate.h"
#include "io/env.h"
#include "log/types.h"

namespace sluice::front::http {

// The loop's. `gate` and the loop must outlive it.
class IngestEndpoint {
 public:
  // What is smaller is decoded at once, on the loop's thread.
  static constexpr size_t kSmallBodyBytesMax = 16 << 10;
  // What is larger, or compressed, may take long: a thread of its own, so that it holds up no usual request.
  static constexpr size_t kUsualBodyBytesMax = 1 << 20;

  // `limits`: of decoding.
  IngestEndpoint(io::Env env, ingest::Gate& gate, const event::DecodeLimits& limits)
      : gate_(gate), usual_(env, "ingest-decode", limits, PrepareWith(gate)), long_(env, "ingest-decode-l", limits, PrepareWith(gate)) {}
  IngestEndpoint(const IngestEndpoint&) = delete;

  // `body_bytes_max`: of a body as it is received.
  std::vector<Route> Routes(uint64_t body_bytes_max);
  // Answers every request whose events are durable now. After each round of the loop.
  void Answer(log::CommitSequence durable);
  // Events of usual requests are about to be admitted. Long ones do not count: they may take too long to be waited for.
  bool more_comes() const { return usual_.busy(); }
  // Requests that wait for their commit.
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    log::CommitSequence durable_after;
    Responder responder;
    HttpResponse response;
  };
  // A request in the hands of a decoding thread, with what its views point to.
  struct Decoding;
  static ingest::DecodeThread::Prepare PrepareWith(const ingest::Gate& gate) {
    return [&gate](const ingest::IngestRequest& request, ingest::RequestDecoder& decoded) { gate.Prepare(request, decoded); };
  }
  void Take(HttpRequest& request, Responder responder, std::string_view topic);
  void Finish(const ingest::IngestOutcome& outcome, bool minimal, Responder responder);

  ingest::Gate& gate_;
  const Principal principal_;
  std::deque<Waiting> waiting_;  // by durable_after: commits become durable in order
  std::vector<event::HttpHeader> headers_;  // of a request that is decoded at once
  ingest::DecodeThread usual_, long_;
};

// `handling=lenient` and `return=minimal` of RFC 7240, other preferences are skipped.
struct IngestPreferences {
  bool lenient = false;
  bool minimal = false;
};
IngestPreferences ParsePreferences(std::string_view prefer);

}  // namespace sluice::front::http
