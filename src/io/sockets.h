// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Stream sockets that never block, for handlers of an EventLoop. Errors carry a sentence that a user can act on.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sluice::io {

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

// Owns a descriptor and closes it.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      Close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~Socket() { Close(); }
  void Close();
  bool open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// Lets this process have as many descriptors open as it may at all: a shell gives 1,024 and more on request. For the start of a server.
void RaiseDescriptorLimit();

// A listening socket (SO_REUSEADDR, backlog 1024). kConflict: the port is in use; kInvalid: the address is not of this machine or
// needs rights; kExhausted: too many open files; kIo. Message and hint name address, reason and what to do.
Result<Socket> ListenOn(const SocketAddress& address);
// Where a socket is bound: tells the port after listening on port 0.
Result<SocketAddress> LocalAddress(const Socket& socket);

struct Accepted {
  Socket socket;  // TCP_NODELAY; not open: nobody waits
  SocketAddress peer;
};
// kExhausted: out of descriptors or memory; try again later. Connections that were reset while they waited are skipped.
Result<Accepted> AcceptFrom(const Socket& listener);

enum class TransferState : uint8_t {
  kDone,        // `bytes` > 0 were moved
  kWouldBlock,  // nothing now: wait for readiness
  kClosed,      // receiving: the peer sends no more; sending: it is gone
};
struct Transfer {
  TransferState state;
  size_t bytes = 0;
};
// Never fail otherwise: every other error of the connection (a reset, a timeout of the network) is kClosed, too, since all that
// can be done is to close.
Transfer Receive(const Socket& socket, std::span<char> to);
// Sends `first`, then `second`, as one call; either may be empty. May move fewer bytes than both.
Transfer Send(const Socket& socket, std::string_view first, std::string_view second = {});
// True when the next Receive would answer kClosed; false when bytes wait, or nothing does.
bool AtEnd(const Socket& socket);
// Tells the peer that nothing more will be sent; receiving goes on.
void ShutDownSending(const Socket& socket);
// Makes the coming Close a reset, which the peer sees as a failure and not as an end.
void ResetOnClose(const Socket& socket);

}  // namespace sluice::io
