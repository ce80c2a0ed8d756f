// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A request as handlers see it, and an answer as they give it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "front/http/body_buffer.h"

namespace sluice::front::http {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };
constexpr size_t kMethodCount = 7;  // those with a name
std::string_view MethodName(Method method);
// kOther: a method that no route can have. Methods are case-sensitive (RFC 9110 section 9.1).
Method MethodOf(std::string_view name);

// Two texts without case, ASCII only: header names, content codings.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

struct Field {
  std::string_view name;
  std::string_view value;
};

// Lives until the Responder that came with it was used or dropped. All views point into the connection's buffers.
class HttpRequest {
 public:
  HttpRequest() = default;
  HttpRequest(const HttpRequest&) = delete;
  HttpRequest& operator=(const HttpRequest&) = delete;

  Method method = Method::kOther;
  int version = 11;            // 10 or 11
  std::string_view target;     // as sent
  std::string_view raw_path;   // starts with '/', still percent-encoded; "*" for OPTIONS *
  std::string_view path;       // percent-decoded: for messages; routes match segment by segment
  std::vector<Field> query;    // percent-decoded, '+' is a space, in order
  std::vector<Field> params;   // of the route's pattern, percent-decoded
  std::vector<Field> headers;  // in order, values without surrounding white space
  std::string_view peer;       // the client's address, without its port

  // The first header of that name (any case); empty when there is none.
  std::string_view Header(std::string_view name) const;
  bool HasHeader(std::string_view name) const;
  std::optional<std::string_view> Query(std::string_view name) const;
  // The part of the path that matched `{name}`; empty when the pattern has none of that name.
  std::string_view Param(std::string_view name) const;

  // The body as sent (not decompressed), followed by kBodyPadding zero bytes.
  std::string_view body() const { return body_.view(); }
  // The body outlives the request in the hands of who takes it; body() is empty afterwards.
  BodyBuffer TakeBody() { return std::move(body_); }

  // For the parser, the router and the connection. --------------------------------------------------------------------
  void Clear();
  // Percent-decodes `text` into storage of this request; nothing when an escape is malformed. `plus_is_space`: as in queries.
  std::optional<std::string_view> Decode(std::string_view text, bool plus_is_space);
  // Once a request, before the first Decode: views into the storage stay valid.
  void ReserveDecoded(size_t bytes) { decoded_.reserve(bytes); }
  BodyBuffer& body_buffer() { return body_; }

 private:
  BodyBuffer body_;
  std::string decoded_;
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = {};  // REQUIRES: text that lives forever; empty: no such header
  std::vector<std::pair<std::string_view, std::string>> headers = {};  // further ones; names live forever; values hold no line breaks
  std::string body = {};
};

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kNdjsonType = "application/x-ndjson";
constexpr std::string_view kCsvType = "text/csv";
constexpr std::string_view kArrowType = "application/vnd.apache.arrow.stream";
constexpr std::string_view kProblemType = "application/problem+json";

// "OK", "Not Found"; "Unknown" for a status without a name.
std::string_view ReasonPhrase(int status);

// How the answer's end is told to the client.
enum class Framing : uint8_t { kLength, kChunked, kClose };
// Replaces `to` with the status line, headers and the empty line. `date`: as in the Date header. `body_bytes` counts for kLength;
// 204 and 304 get no length. Line breaks in header values are left out.
void FormatHead(std::string& to, const HttpResponse& response, Framing framing, uint64_t body_bytes, bool close, std::string_view date);

}  // namespace sluice::front::http
