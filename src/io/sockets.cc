// SPDX-License-Identifier: Apache-2.0
#include "io/sockets.h"

#include <sys/resource.h>

#include <charconv>

#include "io/internal/kernel_address.h"

namespace sluice::io {
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

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);  // refused, the lower limit still holds: connections beyond it wait
}

}  // namespace sluice::io
