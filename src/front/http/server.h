// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The HTTP server: a listener, its connections, and the bounds on them.

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "front/http/body_buffer.h"
#include "front/http/connection.h"
#include "front/http/http_options.h"
#include "front/http/router.h"
#include "io/event_loop.h"
#include "io/listener.h"
#include "io/logger.h"
#include "io/metrics.h"
#include "io/sockets.h"

namespace sluice::front::http {

// Lives on the loop's thread: made before Run or in it, destroyed after Run has returned or on its thread once it is drained.
// The loop, log and metrics must outlive it; bodies taken by handlers must be gone before it is.
class HttpServer final : private ConnectionHost {
 public:
  // Listens. Errors: those of HttpOptions::Validate and io::Network::Listen.
  static Result<std::unique_ptr<HttpServer>> Open(io::EventLoop& loop, const io::SocketAddress& address, Router router,
                                                  HttpOptions options, io::Logger& log, io::Metrics& metrics);
  ~HttpServer();

  // With the port that was chosen for port 0.
  const io::SocketAddress& address() const { return address_; }
  size_t connection_count() const { return open_count_; }

  // Stops listening, closes idle connections, answers the requests that have begun and closes behind each answer. Calls
  // `on_drained` from the loop once no connection is left. How long that takes is bounded by handlers: see CloseAll.
  void Drain(std::function<void()> on_drained);
  // Cuts every connection; handlers at work are told that their client is gone.
  void CloseAll();

 private:
  HttpServer(io::EventLoop& loop, Router router, HttpOptions options, io::Logger& log, io::Metrics& metrics);
  void OnAccept(io::Accepted accepted);
  void RefuseConnection(const io::Accepted& accepted, io::Counter& counter);
  bool Counted(const io::SocketAddress& peer) const;

  io::EventLoop& loop() override { return loop_; }
  const Router& router() override { return router_; }
  const HttpOptions& options() override { return options_; }
  BodyPool& bodies() override { return bodies_; }
  std::string_view Date() override;
  bool stopping() override { return stopping_; }
  void CountRequest(const Route* route, int status) override;
  void CountReceived(size_t bytes) override { received_bytes_.Add(bytes); }
  void CountSent(size_t bytes) override { sent_bytes_.Add(bytes); }
  void CountTimeout(const char* phase) override;
  void OnClosed(Connection& connection) override;

  io::EventLoop& loop_;
  const Router router_;
  const HttpOptions options_;
  io::Logger& log_;
  io::Metrics& metrics_;
  BodyPool bodies_;
  io::Gauge& connections_gauge_;
  io::Gauge& body_bytes_gauge_;
  io::Counter& received_bytes_;
  io::Counter& sent_bytes_;
  io::Counter& refused_total_;
  io::Counter& refused_address_;
  // By route (the last one: none), the statuses seen so far.
  std::vector<std::vector<std::pair<int, io::Counter*>>> request_counters_;

  std::unique_ptr<io::Listener> listener_;
  io::SocketAddress address_;
  std::vector<std::unique_ptr<Connection>> connections_;  // every one ever made; closed ones are opened again
  std::vector<Connection*> closed_;
  size_t open_count_ = 0;
  std::unordered_map<std::string, size_t> per_address_;
  bool stopping_ = false;
  std::function<void()> on_drained_;
  int64_t date_second_ = -1;
  std::string date_;
};

// "Thu, 15 Jan 2026 00:00:00 GMT" (RFC 9110 section 5.6.7).
std::string FormatHttpDate(Timestamp time);

}  // namespace sluice::front::http
