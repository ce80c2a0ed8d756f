// SPDX-License-Identifier: Apache-2.0
#include "io/listener.h"

namespace sluice::io {

Result<std::unique_ptr<Listener>> Listener::Open(EventLoop& loop, Logger& log, const SocketAddress& address,
                                                 std::function<void(Accepted)> on_accept) {
  ASSIGN_OR_RETURN(Socket socket, loop.network().Listen(address));
  ASSIGN_OR_RETURN(SocketAddress bound, LocalAddress(socket));
  int descriptor = socket.descriptor();
  std::unique_ptr<Listener> listener(new Listener(loop, log, std::move(socket), std::move(bound), std::move(on_accept)));
  RETURN_IF_ERROR(loop.Watch(descriptor, Interest::kRead, *listener));
  return listener;
}

Listener::Listener(EventLoop& loop, Logger& log, Socket socket, SocketAddress address, std::function<void(Accepted)> on_accept)
    : loop_(loop),
      log_(log),
      socket_(std::move(socket)),
      address_(std::move(address)),
      on_accept_(std::move(on_accept)),
      pause_(loop, [this] { Resume(); }) {}

Listener::~Listener() { loop_.Unwatch(socket_.descriptor()); }

void Listener::OnReady(Readiness) {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    auto accepted = AcceptFrom(socket_);
    if (!accepted.ok()) return Pause(accepted.error());
    if (!accepted->socket.open()) return;
    on_accept_(*std::move(accepted));
  }
}

// A listener that stays readable and cannot accept would turn the loop without end.
void Listener::Pause(const Error& why) {
  log_.Warn("accepting paused", {{"address", address_.ToString()}, {"reason", why.ToString()}});
  loop_.Unwatch(socket_.descriptor());
  pause_.Arm(kPauseUs);
}

void Listener::Resume() {
  if (auto watched = loop_.Watch(socket_.descriptor(), Interest::kRead, *this); !watched.ok()) Pause(watched.error());
}

}  // namespace sluice::io
