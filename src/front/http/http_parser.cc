// SPDX-License-Identifier: Apache-2.0
#include "front/http/http_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <cstring>

#include "front/http/limits.h"

namespace sluice::front::http {
namespace {

namespace beast = boost::beast;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

HeadError Malformed(std::string detail) { return {Problem::kMalformedRequest, std::move(detail)}; }

// Collects what Beast reports. Only heads are given to it: the calls for bodies do nothing.
class BeastHead final : public beast::http::basic_parser<true> {
 public:
  explicit BeastHead(HttpRequest& request) : request_(request) {}
  std::string_view method_name() const { return method_name_; }
  bool too_many_headers() const { return too_many_headers_; }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version, beast::error_code&) override {
    method_name_ = View(method);
    request_.target = View(target);
    request_.version = version;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, beast::error_code& ec) override {
    if (request_.headers.size() == kHeadersMax) {
      too_many_headers_ = true;
      ec = beast::http::error::header_limit;
      return;
    }
    request_.headers.push_back({View(name), View(value)});
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, beast::error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code&) override { return body.size(); }
  void on_finish_impl(beast::error_code&) override {}

  HttpRequest& request_;
  std::string_view method_name_;
  bool too_many_headers_ = false;
};

// A version that is well formed and not ours: "HTTP/2.0", "HTTP/0.9".
bool NamesOtherVersion(std::string_view head) {
  auto line = head.substr(0, head.find("\r\n"));
  auto space = line.rfind(' ');
  if (space == std::string_view::npos) return false;
  if (space != line.find(' ', line.find(' ') + 1)) return false;  // three words, one space between each two
  auto version = line.substr(space + 1);
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return false;
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) && version[6] == '.' && digit(version[7]);
}

HeadError BeastError(std::string_view head, const BeastHead& parser, const beast::error_code& error) {
  using E = beast::http::error;
  if (parser.too_many_headers()) return {Problem::kHeadTooLarge, "the request has more than " + std::to_string(kHeadersMax) + " headers"};
  if (error == E::bad_version && NamesOtherVersion(head)) {
    return {Problem::kVersionNotSupported, "the request asks for another version of HTTP"};
  }
  if (error == E::bad_method) return Malformed("the method is malformed");
  if (error == E::bad_target) return Malformed("the request line is not \"METHOD TARGET HTTP/1.1\"");
  if (error == E::bad_version) return Malformed("the request line does not end in an HTTP version");
  if (error == E::bad_field) return Malformed("a header's name is malformed");
  if (error == E::bad_content_length || error == E::multiple_content_length) return Malformed("Content-Length is not one decimal number");
  if (error == E::bad_transfer_encoding) return Malformed("Transfer-Encoding is repeated or stands beside Content-Length");
  return Malformed("a header is malformed");
}

bool IsDigits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

std::optional<HeadError> SetLength(std::string_view value, HeadFacts& facts) {
  if (facts.content_length) return Malformed("Content-Length is repeated");
  uint64_t length = 0;
  if (!IsDigits(value) || std::from_chars(value.data(), value.data() + value.size(), length).ec != std::errc{}) {
    return Malformed("Content-Length is not one decimal number");
  }
  facts.content_length = length;
  return std::nullopt;
}

std::optional<HeadError> SetTransferEncoding(std::string_view value, HeadFacts& facts) {
  if (facts.chunked) return Malformed("Transfer-Encoding is repeated");
  if (value.empty()) return Malformed("Transfer-Encoding is empty");
  if (!EqualsIgnoringCase(value, "chunked")) return HeadError{Problem::kNotImplemented, "the only transfer coding taken is \"chunked\""};
  facts.chunked = true;
  return std::nullopt;
}

// uri-host [ ":" port ]: the characters of names and IP literals. No user, no list, no path.
bool IsHost(std::string_view value) {
  auto colon = value.rfind(':');
  if (colon != std::string_view::npos && value.find(']', colon) == std::string_view::npos) {
    auto port = value.substr(colon + 1);
    if (!port.empty() && (!IsDigits(port) || port.size() > 5)) return false;
    value = value.substr(0, colon);
  }
  bool brackets = value.size() > 2 && value.front() == '[' && value.back() == ']';
  std::string_view allowed = brackets ? ":.%" : "-._~%";
  if (brackets) value = value.substr(1, value.size() - 2);
  for (char c : value) {
    bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && allowed.find(c) == std::string_view::npos) return false;
  }
  return true;
}

std::optional<HeadError> ReadFields(const HttpRequest& request, HeadFacts& facts) {
  int hosts = 0;
  for (const Field& field : request.headers) {
    std::optional<HeadError> error;
    if (EqualsIgnoringCase(field.name, "content-length")) {
      error = SetLength(field.value, facts);
    } else if (EqualsIgnoringCase(field.name, "transfer-encoding")) {
      error = SetTransferEncoding(field.value, facts);
    } else if (EqualsIgnoringCase(field.name, "host")) {
      if (++hosts > 1) return Malformed("Host is repeated");
      if (!IsHost(field.value)) return Malformed("Host is not a host and a port");
    } else if (EqualsIgnoringCase(field.name, "expect")) {
      if (!EqualsIgnoringCase(field.value, "100-continue")) return HeadError{Problem::kExpectationFailed, "the only expectation known is \"100-continue\""};
      facts.expect_continue = request.version == 11;
    }
    if (error) return error;
  }
  if (facts.chunked && facts.content_length) return Malformed("Content-Length and Transfer-Encoding exclude each other");
  if (facts.chunked && request.version == 10) return Malformed("HTTP/1.0 knows no Transfer-Encoding");
  if (hosts == 0 && request.version == 11) return Malformed("Host is missing");
  return std::nullopt;
}

// Splits `text` at '&' and '=' and decodes both sides. False: a malformed escape.
bool ReadQuery(std::string_view text, HttpRequest& request) {
  while (!text.empty()) {
    auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    auto equals = std::min(pair.find('='), pair.size());
    auto name = request.Decode(pair.substr(0, equals), true);
    auto value = request.Decode(pair.substr(std::min(pair.size(), equals + 1)), true);
    if (!name || !value) return false;
    request.query.push_back({*name, *value});
  }
  return true;
}

// The path and query of a target in absolute form; empty when its authority is malformed.
std::string_view OriginForm(std::string_view target) {
  auto rest = target.substr(target.find("://") + 3);
  auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.empty() || !IsHost(authority)) return {};
  rest.remove_prefix(authority.size());
  return rest.empty() || rest.front() == '?' ? std::string_view("/") : rest;
}

bool HasScheme(std::string_view target, std::string_view scheme) {
  return target.size() > scheme.size() && EqualsIgnoringCase(target.substr(0, scheme.size()), scheme);
}

std::optional<HeadError> ReadTarget(HttpRequest& request) {
  std::string_view target = request.target;
  if (target.size() > kTargetBytesMax) {
    return HeadError{Problem::kTargetTooLong, "path and query are longer than " + std::to_string(kTargetBytesMax) + " bytes"};
  }
  for (char c : target) {
    if (static_cast<unsigned char>(c) >= 0x7f || c == '#') return Malformed("the target holds a character that must be percent-encoded");
  }
  if (target == "*" && request.method == Method::kOptions) {
    request.raw_path = request.path = target;
    return std::nullopt;
  }
  bool absolute = HasScheme(target, "http://") || HasScheme(target, "https://");
  std::string_view query;
  if (absolute) {
    auto mark = target.find('?');
    if (mark != std::string_view::npos) query = target.substr(mark + 1);
    target = OriginForm(target);
  }
  if (target.empty() || target.front() != '/') return Malformed("the target is neither a path nor a URL");
  auto mark = target.find('?');
  if (mark != std::string_view::npos) query = target.substr(mark + 1);
  request.raw_path = target.substr(0, mark);
  request.ReserveDecoded(2 * request.target.size());  // the path as a whole, and once more by segment
  auto path = request.Decode(request.raw_path, false);
  if (!path || path->find('\0') != std::string_view::npos) return Malformed("the path holds a malformed escape");
  request.path = *path;
  if (!ReadQuery(query, request)) return Malformed("the query holds a malformed escape");
  return std::nullopt;
}

constexpr const char* kZeroInHead = "the head holds a zero byte";
bool HasZero(std::string_view bytes) { return !bytes.empty() && std::memchr(bytes.data(), '\0', bytes.size()) != nullptr; }

}  // namespace

HeadScanner::Found HeadScanner::Scan(std::string_view bytes) {
  while (seen_ < bytes.size()) {
    auto newline = static_cast<const char*>(std::memchr(bytes.data() + seen_, '\n', bytes.size() - seen_));
    if (newline == nullptr) break;
    Found found = Line(bytes, static_cast<size_t>(newline - bytes.data()));
    if (found.error || found.end != 0) return found;  // what is behind the head is none of its business
  }
  if (HasZero(bytes.substr(seen_))) return {.error = Malformed(kZeroInHead)};
  seen_ = bytes.size();
  if (line_ == start_ && bytes.size() - start_ > kTargetBytesMax + 64) {
    return {.error = HeadError{Problem::kTargetTooLong, "the request line is longer than the limit"}};
  }
  if (bytes.size() - start_ >= kHeadBytesMax) {
    return {.error = HeadError{Problem::kHeadTooLarge, "the head is larger than " + std::to_string(kHeadBytesMax) + " bytes"}};
  }
  // A method is a token; what starts otherwise (TLS, an SSH banner's binary cousins) is told at once and not at the deadline.
  if (bytes.size() > start_ && static_cast<unsigned char>(bytes[start_] - '!') > '~' - '!' && bytes[start_] != '\r') {
    return {.error = Malformed("this is not an HTTP request; the server speaks plain HTTP, not TLS")};
  }
  return {};
}

// Judges the line that ends at `newline` and moves on to the next.
HeadScanner::Found HeadScanner::Line(std::string_view bytes, size_t newline) {
  if (newline == line_ || bytes[newline - 1] != '\r') return {.error = Malformed("a line does not end in CR LF")};
  if (HasZero(bytes.substr(line_, newline - line_))) return {.error = Malformed(kZeroInHead)};
  bool empty = newline == line_ + 1;
  bool first = line_ == start_;
  if (!first && (bytes[line_] == ' ' || bytes[line_] == '\t')) return {.error = Malformed("a header is folded or starts with white space")};
  line_ = seen_ = newline + 1;
  if (first && empty) {
    if (++empty_lines_ > kLeadingEmptyLinesMax) return {.error = Malformed("empty lines instead of a request")};
    start_ = line_;
  } else if (empty) {
    if (line_ - start_ > kHeadBytesMax) {
      return {.error = HeadError{Problem::kHeadTooLarge, "the head is larger than " + std::to_string(kHeadBytesMax) + " bytes"}};
    }
    return {.start = start_, .end = line_};
  }
  return {};
}

std::optional<HeadError> ParseHead(std::string_view head, HttpRequest& request, HeadFacts& facts) {
  BeastHead parser(request);
  parser.header_limit(static_cast<uint32_t>(kHeadBytesMax));
  parser.body_limit(boost::none);
  beast::error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error) return BeastError(head, parser, error);
  request.method = MethodOf(parser.method_name());
  facts = {};
  facts.keep_alive = parser.keep_alive() && request.version == 11;
  if (auto wrong = ReadFields(request, facts)) return wrong;
  if (request.method == Method::kOther) return HeadError{Problem::kNotImplemented, "the method is not known here"};
  return ReadTarget(request);
}

}  // namespace sluice::front::http
