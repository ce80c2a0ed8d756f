// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Stream sockets that never block, for handlers of an EventLoop, and the network that they belong to. Errors carry a sentence that a user
// can act on.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "io/poller.h"

namespace sluice::io {

class Network;

// An IPv4 or IPv6 address and a port.
struct SocketAddress {
  std::string host;  // "127.0.0.1", "::1": a literal, without brackets
  uint16_t port = 0;

  // "127.0.0.1:8080", "[::1]:8080"
  std::string ToString() const;
  bool is_loopback() const;
};

// "HOST:PORT", HOST being an IPv4 literal, an IPv6 literal in brackets or "localhost"; port 0 means any free one.
// kInvalid names what is wrong with `text`. Names are not looked up: a server listens on an address.
Result<SocketAddress> ParseSocketAddress(std::string_view text);

// Owns a descriptor of a network and closes it.
class Socket {
 public:
  Socket() = default;
  // `network` must outlive it.
  Socket(Network& network, int descriptor) : network_(&network), descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : network_(other.network_), descriptor_(other.Release()) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      Close();
      network_ = other.network_;
      descriptor_ = other.Release();
    }
    return *this;
  }
  ~Socket() { Close(); }
  void Close();
  // The descriptor is the caller's from now on; this is not open any more.
  int Release() { return std::exchange(descriptor_, -1); }
  bool open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  // REQUIRES: open.
  Network& network() const { return *network_; }

 private:
  Network* network_ = nullptr;
  int descriptor_ = -1;
};

struct Accepted {
  Socket socket;  // TCP_NODELAY; not open: nobody waits
  SocketAddress peer;
};

enum class TransferState : uint8_t {
  kDone,        // `bytes` > 0 were moved
  kWouldBlock,  // nothing now: wait for readiness
  kClosed,      // receiving: the peer sends no more; sending: it is gone
};
struct Transfer {
  TransferState state;
  size_t bytes = 0;
};

// Lets this process have as many descriptors open as it may at all: a shell gives 1,024 and more on request. For the start of a server.
void RaiseDescriptorLimit();

// The two twins: the kernel's TCP, and connections that obey a seed. Thread-safe; one socket belongs to one thread at a time. What takes
// a descriptor is for Socket and the functions below.
class Network {
 public:
  virtual ~Network() = default;

  // kExhausted: too many open files; kIo.
  virtual Result<std::unique_ptr<Poller>> NewPoller() = 0;
  // A listening socket (SO_REUSEADDR, backlog 1024). kConflict: the port is in use; kInvalid: the address is not of this machine or
  // needs rights; kExhausted: too many open files; kIo. Message and hint name address, reason and what to do.
  virtual Result<Socket> Listen(const SocketAddress& address) = 0;
  // A connection to a server. Waits until it stands, so it is not for handlers of a loop. kUnavailable: refused; kExhausted; kIo.
  virtual Result<Socket> Connect(const SocketAddress& address) = 0;

  virtual Result<SocketAddress> LocalAddress(int descriptor) = 0;
  virtual Result<Accepted> Accept(int listener) = 0;
  virtual Transfer Receive(int descriptor, std::span<char> to) = 0;
  virtual Transfer Send(int descriptor, std::string_view first, std::string_view second) = 0;
  virtual bool AtEnd(int descriptor) = 0;
  virtual void ShutDownSending(int descriptor) = 0;
  virtual void ResetOnClose(int descriptor) = 0;
  virtual void Close(int descriptor) = 0;
};

// Where a socket is bound: tells the port after listening on port 0.
inline Result<SocketAddress> LocalAddress(const Socket& socket) { return socket.network().LocalAddress(socket.descriptor()); }
// kExhausted: out of descriptors or memory; try again later. Connections that were reset while they waited are skipped.
inline Result<Accepted> AcceptFrom(const Socket& listener) { return listener.network().Accept(listener.descriptor()); }
// These never fail otherwise: every other error of the connection (a reset, a timeout of the network) is kClosed, too, since all that
// can be done is to close. May be called by destructors.
//
// Fewer bytes than asked for: nothing more is there, and the next byte will be reported.
inline Transfer Receive(const Socket& socket, std::span<char> to) { return socket.network().Receive(socket.descriptor(), to); }
// Sends `first`, then `second`, as one call; either may be empty. May move fewer bytes than both, and then more in the next call.
inline Transfer Send(const Socket& socket, std::string_view first, std::string_view second = {}) {
  return socket.network().Send(socket.descriptor(), first, second);
}
// True when the next Receive would answer kClosed; false when bytes wait, or nothing does.
inline bool AtEnd(const Socket& socket) { return socket.network().AtEnd(socket.descriptor()); }
// Tells the peer that nothing more will be sent; receiving goes on.
inline void ShutDownSending(const Socket& socket) { socket.network().ShutDownSending(socket.descriptor()); }
// Makes the coming Close a reset, which the peer sees as a failure and not as an end.
inline void ResetOnClose(const Socket& socket) { socket.network().ResetOnClose(socket.descriptor()); }

inline void Socket::Close() {
  if (descriptor_ >= 0) network_->Close(descriptor_);
  descriptor_ = -1;
}

}  // namespace sluice::io
