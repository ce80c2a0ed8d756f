// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "io/internal/kernel_address.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr int kBacklog = 1024;

Error ListenError(const SocketAddress& address, int number) {
  std::string message = "cannot listen on " + address.ToString() + ": ";
  switch (number) {
    case EADDRINUSE:
      return Error{ErrorCode::kConflict, message + "port " + std::to_string(address.port) + " is in use",
                   "stop the process that uses it (`ss -ltnp` names it), or choose another port; port 0 takes any free one"};
    case EADDRNOTAVAIL:
      return Error{ErrorCode::kInvalid, message + "this machine has no such address", "use 127.0.0.1, or an address that `ip addr` shows"};
    case EACCES:
      return Error{ErrorCode::kInvalid, message + "ports below 1024 need rights that this process lacks", "choose a port from 1024 on"};
    case EAFNOSUPPORT:
      return Error{ErrorCode::kInvalid, message + "this machine has no IPv6", "use an IPv4 address"};
    case EMFILE:
    case ENFILE:
      return Error{ErrorCode::kExhausted, message + "too many open files", "raise the limit of open files (ulimit -n)"};
    default:
      return Error{ErrorCode::kIo, message + std::strerror(number)};
  }
}

Error ConnectError(const SocketAddress& address, int number) {
  const bool exhausted = number == EMFILE || number == ENFILE || number == EADDRNOTAVAIL;
  const bool refused = number == ECONNREFUSED || number == ETIMEDOUT || number == EHOSTUNREACH || number == ENETUNREACH || number == ECONNRESET;
  return Error{exhausted ? ErrorCode::kExhausted : refused ? ErrorCode::kUnavailable : ErrorCode::kIo,
               "cannot connect to " + address.ToString() + ": " + std::strerror(number)};
}

Transfer FromReturn(ssize_t moved) {
  if (moved > 0) return {TransferState::kDone, static_cast<size_t>(moved)};
  if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {TransferState::kWouldBlock};
  return {TransferState::kClosed};
}

// The kernel's TCP.
class RealNetwork final : public Network {
 public:
  Result<std::unique_ptr<Poller>> NewPoller() override { return MakeRealPoller(); }

  Result<Socket> Listen(const SocketAddress& address) override {
    AnyAddress kernel;
    socklen_t size = ToKernel(address, kernel);
    if (size == 0) return AddressError(address.ToString(), "the host is not an IP address");
    Socket socket(*this, ::socket(kernel.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.open()) return ListenError(address, errno);
    int one = 1;
    setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (kernel.any.sa_family == AF_INET6) setsockopt(socket.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(socket.descriptor(), &kernel.any, size) != 0 || listen(socket.descriptor(), kBacklog) != 0) return ListenError(address, errno);
    return socket;
  }

  Result<Socket> Connect(const SocketAddress& address) override {
    AnyAddress kernel;
    socklen_t size = ToKernel(address, kernel);
    if (size == 0) return Error{ErrorCode::kInvalid, "cannot connect to " + address.ToString() + ": the host is not an IP address"};
    Socket socket(*this, ::socket(kernel.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.open() || connect(socket.descriptor(), &kernel.any, size) != 0) return ConnectError(address, errno);
    fcntl(socket.descriptor(), F_SETFL, fcntl(socket.descriptor(), F_GETFL) | O_NONBLOCK);
    return socket;
  }

  Result<SocketAddress> LocalAddress(int descriptor) override {
    AnyAddress kernel;
    socklen_t size = sizeof kernel;
    if (getsockname(descriptor, &kernel.any, &size) != 0) {
      return Error{ErrorCode::kIo, std::string("getsockname failed: ") + std::strerror(errno)};
    }
    return FromKernel(kernel);
  }

  Result<Accepted> Accept(int listener) override {
    for (;;) {
      AnyAddress kernel;
      socklen_t size = sizeof kernel;
      Socket socket(*this, accept4(listener, &kernel.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.open()) {
        int one = 1;
        setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        return Accepted{std::move(socket), FromKernel(kernel)};
      }
      switch (errno) {
        case EAGAIN:
          return Accepted{};
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          return Error{ErrorCode::kExhausted, std::string("cannot accept a connection: ") + std::strerror(errno),
                       "raise the limit of open files (ulimit -n)"};
        case EBADF:
        case EINVAL:
        case ENOTSOCK:
          return Error{ErrorCode::kIo, std::string("cannot accept a connection: ") + std::strerror(errno)};
        default:
          continue;  // that connection failed (reset, network unreachable): the next one may not
      }
    }
  }

  Transfer Receive(int descriptor, std::span<char> to) override {
    ssize_t got;
    do got = recv(descriptor, to.data(), to.size(), 0);
    while (got < 0 && errno == EINTR);
    return FromReturn(got);
  }

  Transfer Send(int descriptor, std::string_view first, std::string_view second) override {
    iovec parts[2] = {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = first.empty() ? parts + 1 : parts;
    message.msg_iovlen = first.empty() || second.empty() ? 1 : 2;
    ssize_t sent;
    do sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return FromReturn(sent);
  }

  bool AtEnd(int descriptor) override {
    char byte;
    ssize_t got = recv(descriptor, &byte, 1, MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }

  void ShutDownSending(int descriptor) override { shutdown(descriptor, SHUT_WR); }

  void ResetOnClose(int descriptor) override {
    linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }

  void Close(int descriptor) override { close(descriptor); }
};

}  // namespace

std::unique_ptr<Network> MakeRealNetwork() { return std::make_unique<RealNetwork>(); }

}  // namespace sluice::io
