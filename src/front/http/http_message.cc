// SPDX-License-Identifier: Apache-2.0
#include "front/http/http_message.h"

#include <charconv>

#include "base/check.h"

namespace sluice::front::http {
namespace {

constexpr std::string_view kMethodNames[kMethodCount] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = Lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void AppendNumber(std::string& to, uint64_t number) {
  char text[20];
  auto end = std::to_chars(text, text + sizeof text, number).ptr;
  to.append(text, end);
}

void AppendField(std::string& to, std::string_view name, std::string_view value) {
  to += name;
  to += ": ";
  for (char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') to += c;
  }
  to += "\r\n";
}

}  // namespace

std::string_view MethodName(Method method) {
  return method == Method::kOther ? "OTHER" : kMethodNames[static_cast<size_t>(method)];
}

Method MethodOf(std::string_view name) {
  for (size_t i = 0; i < kMethodCount; ++i) {
    if (name == kMethodNames[i]) return static_cast<Method>(i);
  }
  return Method::kOther;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const Field& field : headers) {
    if (EqualsIgnoringCase(field.name, name)) return field.value;
  }
  return {};
}

bool HttpRequest::HasHeader(std::string_view name) const {
  for (const Field& field : headers) {
    if (EqualsIgnoringCase(field.name, name)) return true;
  }
  return false;
}

std::optional<std::string_view> HttpRequest::Query(std::string_view name) const {
  for (const Field& field : query) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

std::string_view HttpRequest::Param(std::string_view name) const {
  for (const Field& field : params) {
    if (field.name == name) return field.value;
  }
  return {};
}

void HttpRequest::Clear() {
  method = Method::kOther;
  version = 11;
  target = raw_path = path = {};
  query.clear();
  params.clear();
  headers.clear();
  body_.Release();
  decoded_.clear();
}

std::optional<std::string_view> HttpRequest::Decode(std::string_view text, bool plus_is_space) {
  if (text.find('%') == std::string_view::npos && (!plus_is_space || text.find('+') == std::string_view::npos)) return text;
  size_t start = decoded_.size();
  CHECK(decoded_.capacity() - start >= text.size(), "more to decode than was reserved");
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    decoded_ += c;
  }
  return std::string_view(decoded_).substr(start);
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

void FormatHead(std::string& to, const HttpResponse& response, Framing framing, uint64_t body_bytes, bool close, std::string_view date) {
  to = "HTTP/1.1 ";
  AppendNumber(to, static_cast<uint64_t>(response.status));
  to += ' ';
  to += ReasonPhrase(response.status);
  to += "\r\nDate: ";
  to += date;
  to += "\r\n";
  if (!response.content_type.empty()) AppendField(to, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) AppendField(to, name, value);
  if (framing == Framing::kChunked) to += "Transfer-Encoding: chunked\r\n";
  if (framing == Framing::kLength && response.status != 204 && response.status != 304) {
    to += "Content-Length: ";
    AppendNumber(to, body_bytes);
    to += "\r\n";
  }
  if (close) to += "Connection: close\r\n";
  to += "\r\n";
}

}  // namespace sluice::front::http
