// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Accepts connections on an event loop's thread and hands them over.

#include <functional>
#include <memory>

#include "base/result.h"
#include "io/event_loop.h"
#include "io/logger.h"
#include "io/sockets.h"

namespace sluice::io {

// Belongs to the loop's thread. `loop` and `log` must outlive it. Destroyed: it listens no more.
class Listener : public EventHandler {
 public:
  // Listens on `address` and calls `on_accept` for each connection. Errors: as Network::Listen and EventLoop::Watch.
  // Out of descriptors, it pauses for kPauseUs and logs once a pause: the connections wait in the backlog meanwhile.
  static Result<std::unique_ptr<Listener>> Open(EventLoop& loop, Logger& log, const SocketAddress& address,
                                                std::function<void(Accepted)> on_accept);
  ~Listener() override;
  // With the port that was chosen for port 0.
  const SocketAddress& address() const { return address_; }

  void OnReady(Readiness ready) override;

  static constexpr int kAcceptsPerRound = 64;  // then the connections that exist have their turn
  static constexpr int64_t kPauseUs = 100'000;

 private:
  Listener(EventLoop& loop, Logger& log, Socket socket, SocketAddress address, std::function<void(Accepted)> on_accept);
  void Pause(const Error& why);
  void Resume();

  EventLoop& loop_;
  Logger& log_;
  Socket socket_;
  SocketAddress address_;
  std::function<void(Accepted)> on_accept_;
  Timer pause_;
};

}  // namespace sluice::io
