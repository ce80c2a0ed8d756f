// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A network that passes every call on, for planted bugs to change a few.

#include <memory>
#include <utility>

#include "io/sockets.h"

namespace sluice::sim {

// Its sockets call it. `network` must outlive it.
class ForwardingNetwork : public io::Network {
 public:
  explicit ForwardingNetwork(io::Network& network) : network_(network) {}

  Result<std::unique_ptr<io::Poller>> NewPoller() override { return network_.NewPoller(); }
  Result<io::Socket> Listen(const io::SocketAddress& address) override {
    ASSIGN_OR_RETURN(auto socket, network_.Listen(address));
    return io::Socket(*this, socket.Release());
  }
  Result<io::Socket> Connect(const io::SocketAddress& address) override {
    ASSIGN_OR_RETURN(auto socket, network_.Connect(address));
    return io::Socket(*this, socket.Release());
  }
  Result<io::SocketAddress> LocalAddress(int descriptor) override { return network_.LocalAddress(descriptor); }
  Result<io::Accepted> Accept(int listener) override {
    ASSIGN_OR_RETURN(auto accepted, network_.Accept(listener));
    if (accepted.socket.open()) accepted.socket = io::Socket(*this, accepted.socket.Release());
    return accepted;
  }
  io::Transfer Receive(int descriptor, std::span<char> to) override { return network_.Receive(descriptor, to); }
  io::Transfer Send(int descriptor, std::string_view first, std::string_view second) override {
    return network_.Send(descriptor, first, second);
  }
  bool AtEnd(int descriptor) override { return network_.AtEnd(descriptor); }
  void ShutDownSending(int descriptor) override { network_.ShutDownSending(descriptor); }
  void ResetOnClose(int descriptor) override { network_.ResetOnClose(descriptor); }
  void Close(int descriptor) override { network_.Close(descriptor); }

 protected:
  io::Network& network_;
};

}  // namespace sluice::sim
