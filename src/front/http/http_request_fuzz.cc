// SPDX-License-Identifier: Apache-2.0
//
// A connection's bytes through the parsers of heads and chunks: what was accepted can be read in one way only, and how the network cuts
// it changes nothing. The first byte says how many bytes come at a time.

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "front/http/chunked_decoder.h"
#include "front/http/http_parser.h"
#include "front/http/limits.h"

namespace sluice::front::http {
namespace {

constexpr uint64_t kBodyMax = 4096;
constexpr size_t kRequestsMax = 8;

bool IsTokenCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// What another server could read differently.
void CheckOneReading(std::string_view head, const HttpRequest& request, const HeadFacts& facts) {
  CHECK(head.ends_with("\r\n\r\n"), "a head ends with an empty line");
  size_t lines = 0;
  for (size_t at = 0; at < head.size(); at++) {
    CHECK(head[at] != '\0', "no zero byte");
    if (head[at] == '\n') CHECK(at > 0 && head[at - 1] == '\r', "every line ends in CR LF"), lines++;
    if (head[at] == '\r') CHECK(at + 1 < head.size() && head[at + 1] == '\n', "no CR of its own");
  }
  CHECK(lines == request.headers.size() + 2, "every line is one header");
  CHECK(request.headers.size() <= kHeadersMax && head.size() <= kHeadBytesMax && request.target.size() <= kTargetBytesMax, "the limits hold");
  size_t hosts = 0, lengths = 0, codings = 0;
  for (const Field& field : request.headers) {
    CHECK(!field.name.empty() && std::all_of(field.name.begin(), field.name.end(), IsTokenCharacter), "a header's name is a token");
    for (char c : field.value) CHECK(c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f), "no control characters in a value");
    CHECK(field.value.empty() || (field.value.front() != ' ' && field.value.back() != ' '), "white space around a value is none of it");
    hosts += EqualsIgnoringCase(field.name, "host");
    lengths += EqualsIgnoringCase(field.name, "content-length");
    codings += EqualsIgnoringCase(field.name, "transfer-encoding");
  }
  CHECK(hosts == 1 || (hosts == 0 && request.version == 10), "one host");
  CHECK(lengths + codings <= 1, "one way to say where the body ends");
  CHECK(facts.content_length.has_value() == (lengths == 1) && facts.chunked == (codings == 1), "the framing is what the headers say");
  CHECK(!facts.chunked || request.version == 11, "chunks are of HTTP/1.1");
  for (char c : request.target) CHECK(static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f, "the target is visible ASCII");
  CHECK(request.raw_path == "*" || request.raw_path.starts_with('/'), "the path starts at the root");
}

// RFC 9112 section 7.1, all at once: how many bytes the coding takes, or nothing when it is malformed or not complete.
std::optional<size_t> PlainChunks(std::string_view input, std::string& body) {
  size_t at = 0;
  auto line = [&](std::string_view& text) {
    size_t end = input.find("\r\n", at);
    if (end == std::string_view::npos) return false;
    text = input.substr(at, end - at);
    at = end + 2;
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
  };
  for (std::string_view text;;) {
    if (!line(text)) return {};
    auto digits = text.substr(0, text.find(';'));
    if (digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return {};
    auto value = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
    if (value.size() > 8) return {};
    size_t size = value.empty() ? 0 : std::stoull(std::string(value), nullptr, 16);
    if (size == 0) break;
    if (input.size() - at < size + 2 || input.substr(at + size, 2) != "\r\n") return {};
    body += input.substr(at, size);
    at += size + 2;
  }
  for (std::string_view text;;) {
    if (!line(text)) return {};
    if (text.empty()) return at;
    if (text.front() == ' ' || text.front() == '\t') return {};
  }
}

struct Reading {
  std::vector<std::string> requests;  // method, target, headers and body of each
  enum class End : uint8_t { kMore, kRefused, kEnough } end = End::kMore;
  bool operator==(const Reading&) const = default;
};

Reading Read(std::string_view stream, size_t step) {
  Reading reading;
  size_t begin = 0;
  BodyPool pool(std::numeric_limits<uint64_t>::max());
  while (reading.requests.size() < kRequestsMax) {
    HeadScanner scanner;
    HeadScanner::Found found;
    for (size_t here = std::min(step, stream.size() - begin);; here = std::min(here + step, stream.size() - begin)) {
      if (here > 0) found = scanner.Scan(stream.substr(begin, here));
      if (found.error || found.end != 0 || here == stream.size() - begin) break;
    }
    if (found.error) return reading.end = Reading::End::kRefused, reading;
    if (found.end == 0) return reading;
    auto head = stream.substr(begin + found.start, found.end - found.start);
    HttpRequest request;
    HeadFacts facts;
    if (ParseHead(head, request, facts)) return reading.end = Reading::End::kRefused, reading;
    CheckOneReading(head, request, facts);
    begin += found.end;
    std::string text = std::to_string(static_cast<int>(request.method)) + " " + std::string(request.target) + "\n";
    for (const Field& field : request.headers) text += std::string(field.name) + ":" + std::string(field.value) + "\n";
    if (facts.chunked) {
      ChunkedDecoder decoder;
      decoder.Reset(kBodyMax);
      BodyBuffer body = pool.Take(16);
      auto outcome = ChunkedDecoder::Outcome::kMore;
      size_t at = begin;
      while (outcome == ChunkedDecoder::Outcome::kMore && at < stream.size()) {
        auto piece = stream.substr(at, step);
        size_t size = piece.size();
        outcome = decoder.Decode(piece, body);
        at += size - piece.size();
      }
      CHECK(body.size() <= kBodyMax, "the bound of the body holds");
      std::string plain;
      auto taken = PlainChunks(stream.substr(begin), plain);
      if (outcome == ChunkedDecoder::Outcome::kDone) CHECK(taken && *taken == at - begin && plain == body.view(), "the chunks are read as the RFC says");
      if (outcome == ChunkedDecoder::Outcome::kMore) return reading;
      if (outcome != ChunkedDecoder::Outcome::kDone) return reading.end = Reading::End::kRefused, reading;
      text += body.view();
      begin = at;
    } else if (uint64_t length = facts.content_length.value_or(0); length > 0) {
      if (length > kBodyMax) return reading.end = Reading::End::kRefused, reading;
      if (length > stream.size() - begin) return reading;
      text += stream.substr(begin, length);
      begin += length;
    }
    reading.requests.push_back(std::move(text));
  }
  reading.end = Reading::End::kEnough;
  return reading;
}

void Run(std::string_view input) {
  if (input.empty()) return;
  size_t step = 1 + static_cast<unsigned char>(input[0]) % 16;
  auto stream = input.substr(1);
  CHECK(Read(stream, stream.size() + 1) == Read(stream, step), "how the network cuts the bytes changes nothing");
}

std::vector<std::string> Seeds() {
  return {"0GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/status?a=b%20c HTTP/1.1\r\nhost: a:80\r\nAccept: */*\r\n\r\n",
          "1POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
          "2POST /x HTTP/1.1\r\nHost: [::1]:8080\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
          "3\r\nGET http://a.b/c?d HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n", "4GET /a%2fb/%C3%A9?x=%26+y&z HTTP/1.1\r\nHost: a\r\nX: \t v \r\n\r\n",
          "5POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", "6PUT / HTTP/2.0\r\nHost: a\r\n\r\n"};
}

const base::FuzzRegistration kRegistration({"http_request", Run, Seeds});

}  // namespace
}  // namespace sluice::front::http
