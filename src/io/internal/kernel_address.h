// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Addresses in the kernel's form.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "io/sockets.h"

namespace sluice::io {

union AnyAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// The size of the kernel's form, or 0 when `host` is no literal.
inline socklen_t ToKernel(const SocketAddress& address, AnyAddress& out) {
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

inline SocketAddress FromKernel(const AnyAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
    return SocketAddress{text, ntohs(address.v6.sin6_port)};
  }
  inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
  return SocketAddress{text, ntohs(address.v4.sin_port)};
}

inline Error AddressError(std::string_view text, const char* why) {
  return Error{ErrorCode::kInvalid, "not an address to listen on: \"" + std::string(text) + "\": " + why,
               "write HOST:PORT, for example 127.0.0.1:8080, [::1]:8080 or localhost:0"};
}

}  // namespace sluice::io
