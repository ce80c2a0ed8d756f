// SPDX-License-Identifier: Apache-2.0
#include "io/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace sluice::io {
namespace {

constexpr int kBacklog = 1024;

union AnyAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// The size of the kernel's form, or 0 when `host` is no literal.
socklen_t ToKernel(const SocketAddress& address, AnyAddress& out) {
  std::memset(&out, 0, sizeof out);
  if (inet_pton(AF_INET, address.host.c_str(), &out.v4.sin_addr) == 1) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(address.port);
    return sizeof out.v4;
  }
  if (inet_pton(AF_INET6, address.host.c_str(), &out.v6.sin6_addr) == 1) {
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(address.port);
    return sizeof out.v6;
  }
  return 0;
}

SocketAddress FromKernel(const AnyAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
    return SocketAddress{text, ntohs(address.v6.sin6_port)};
  }
  inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
  return SocketAddress{text, ntohs(address.v4.sin_port)};
}

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

Error AddressError(std::string_view text, const char* why) {
  return Error{ErrorCode::kInvalid, "not an address to listen on: \"" + std::string(text) + "\": " + why,
               "write HOST:PORT, for example 127.0.0.1:8080, [::1]:8080 or localhost:0"};
}

}  // namespace

std::string SocketAddress::ToString() const {
  bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool SocketAddress::is_loopback() const {
  return host.starts_with("127.") || host == "::1" || host.starts_with("::ffff:127.");
}

Result<SocketAddress> ParseSocketAddress(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return AddressError(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  std::string_view digits = text.substr(colon + 1);
  SocketAddress address;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return AddressError(text, "the port is not a number from 0 to 65535");
  bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (brackets != (host.find(':') != std::string_view::npos)) return AddressError(text, "an IPv6 address stands in brackets, others do not");
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  AnyAddress kernel;
  if (ToKernel(address, kernel) == 0) return AddressError(text, "the host is neither an IP address nor localhost");
  return address;
}

void Socket::Close() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);  // refused, the lower limit still holds: connections beyond it wait
}

Result<Socket> ListenOn(const SocketAddress& address) {
  AnyAddress kernel;
  socklen_t size = ToKernel(address, kernel);
  if (size == 0) return AddressError(address.ToString(), "the host is not an IP address");
  Socket socket(::socket(kernel.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) return ListenError(address, errno);
  int one = 1;
  setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (kernel.any.sa_family == AF_INET6) setsockopt(socket.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind(socket.descriptor(), &kernel.any, size) != 0 || listen(socket.descriptor(), kBacklog) != 0) return ListenError(address, errno);
  return socket;
}

Result<SocketAddress> LocalAddress(const Socket& socket) {
  AnyAddress kernel;
  socklen_t size = sizeof kernel;
  if (getsockname(socket.descriptor(), &kernel.any, &size) != 0) {
    return Error{ErrorCode::kIo, std::string("getsockname failed: ") + std::strerror(errno)};
  }
  return FromKernel(kernel);
}

Result<Accepted> AcceptFrom(const Socket& listener) {
  for (;;) {
    AnyAddress kernel;
    socklen_t size = sizeof kernel;
    Socket socket(accept4(listener.descriptor(), &kernel.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
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

namespace {

Transfer FromReturn(ssize_t moved) {
  if (moved > 0) return {TransferState::kDone, static_cast<size_t>(moved)};
  if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {TransferState::kWouldBlock};
  return {TransferState::kClosed};
}

}  // namespace

Transfer Receive(const Socket& socket, std::span<char> to) {
  ssize_t got;
  do got = recv(socket.descriptor(), to.data(), to.size(), 0);
  while (got < 0 && errno == EINTR);
  return FromReturn(got);
}

Transfer Send(const Socket& socket, std::string_view first, std::string_view second) {
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = first.empty() ? parts + 1 : parts;
  message.msg_iovlen = first.empty() || second.empty() ? 1 : 2;
  ssize_t sent;
  do sent = sendmsg(socket.descriptor(), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return FromReturn(sent);
}

bool AtEnd(const Socket& socket) {
  char byte;
  ssize_t got = recv(socket.descriptor(), &byte, 1, MSG_PEEK);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void ShutDownSending(const Socket& socket) { shutdown(socket.descriptor(), SHUT_WR); }

void ResetOnClose(const Socket& socket) {
  linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace sluice::io
