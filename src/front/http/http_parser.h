// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Request heads. Boost.Beast parses them, on our buffer and without copies; what it lets pass and two servers in a row could
// read differently (RFC 9112 sections 2 to 7, 11.2) is refused here:
//
//   400  a line that does not end in CRLF, a folded header, NUL; Content-Length and Transfer-Encoding together, either of them
//        twice, a length that is not digits; Host missing (HTTP/1.1), twice or malformed; a target that is no path or URL
//   501  a transfer coding other than chunked, a method that nobody routes · 505 another major version · 417 an unknown Expect
//   414, 431  limits
//
// After any of them the connection is closed: where the next request starts is not known for sure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "front/http/http_message.h"
#include "front/http/problems.h"

namespace sluice::front::http {

struct HeadError {
  Problem problem;
  std::string detail;
};

// How a body is delimited, and what the client asks of the connection.
struct HeadFacts {
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = false;
  bool expect_continue = false;
};

// Finds the end of a head while its bytes arrive, so that malformed lines are refused without waiting for it.
class HeadScanner {
 public:
  struct Found {
    std::optional<HeadError> error;
    size_t start = 0;  // of the request line: behind empty lines that a client sent first
    size_t end = 0;    // of the head, its empty line included; 0: not complete
  };
  // `bytes`: all that was received since Reset; the same bytes plus new ones in each call.
  Found Scan(std::string_view bytes);
  void Reset() { *this = HeadScanner(); }

 private:
  Found Line(std::string_view bytes, size_t newline);
  size_t start_ = 0;       // of the request line
  size_t line_ = 0;        // of the line being read
  size_t seen_ = 0;        // bytes without a newline that need no second look
  size_t empty_lines_ = 0; // in front of the request line
};

// Parses a complete head into `request` (method, version, target, path, query, headers); views point into `head`.
std::optional<HeadError> ParseHead(std::string_view head, HttpRequest& request, HeadFacts& facts);

}  // namespace sluice::front::http
