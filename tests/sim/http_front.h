// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The product's HTTP front in the simulator: loop, server and ingest endpoint around a pipeline, as server/engine.cc has them.

#include <functional>
#include <memory>

#include "front/http/ingest_endpoint.h"
#include "front/http/server.h"
#include "io/event_loop.h"
#include "server/pipeline.h"
#include "sim/scenario.h"
#include "sim/wiring.h"

namespace sluice::sim {

// Not thread-safe: the loop's actor makes it, runs it and destroys it. A crash unwinds it wherever it is.
class HttpFront {
 public:
  // What the life around it does, on the loop.
  struct Hooks {
    std::function<void()> on_bell;          // the log wrote, or somebody called
    std::function<void()> on_round;         // at the end of each round
    std::function<void()> on_housekeeping;  // several times a second
  };
  // All must outlive it.
  static Result<std::unique_ptr<HttpFront>> Open(io::Env env, server::Pipeline& pipeline, const Scenario& scenario, const Wiring& wiring,
                                                 const io::SocketAddress& address);
  // Until Stop was called and every connection is closed.
  Result<void> Run(Hooks hooks);
  // No new connections; requests that have begun are answered first, but those that take longer than the engine allows are cut.
  void Stop();

  size_t connections() const { return server_->connection_count(); }
  // Requests that wait for their commit.
  size_t waiting() const { return ingest_.waiting(); }
  bool was_cut() const { return was_cut_; }

 private:
  HttpFront(io::Env env, server::Pipeline& pipeline, const Scenario& scenario, const Wiring& wiring);
  Result<void> Listen(const io::SocketAddress& address);
  void OnRoundEnd();

  io::Env env_;
  server::Pipeline& pipeline_;
  const Scenario& scenario_;
  const Wiring& wiring_;
  Hooks hooks_;
  std::unique_ptr<io::Network> network_;  // a decorated one, where the wiring has some
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<io::Timer> tick_, housekeeping_, deadline_;
  std::unique_ptr<front::http::HttpServer> server_;
  front::http::IngestEndpoint ingest_;  // goes before the server: its threads read what connections hold
  bool stopping_ = false, was_cut_ = false;
};

}  // namespace sluice::sim
