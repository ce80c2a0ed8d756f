// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// HTTP to a Sluice server, over libcurl: one connection, kept alive, one call at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "io/termination.h"

namespace sluice::cli {

inline constexpr std::string_view kUrlDefault = "http://127.0.0.1:8080";
inline constexpr size_t kAnswerBytesMax = size_t{300} << 20;  // of an answer that is kept; the server's own bound is 256 MiB

struct HttpCall {
  std::string path;  // with query
  bool post = false;
  std::string_view body = {};
  std::vector<std::string> headers = {};  // "Name: value"
  int64_t timeout_ms = 60'000;            // of the whole call; 0: none
  // Takes parts of a 2xx answer's body as they come, instead of HttpAnswer::body. False: stop; Do then answers kCancelled.
  std::function<bool(std::string_view part)> on_body = {};
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  int64_t retry_after_s = -1;  // -1: not said
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

// Not thread-safe; belongs to one thread.
class HttpClient {
 public:
  // `url`: "http://HOST:PORT"; empty: SLUICE_URL, else kUrlDefault. kInvalid: not such a URL.
  // When `termination` (may be null, else it must outlive this) rings, the call that runs ends as kCancelled.
  static Result<std::unique_ptr<HttpClient>> Make(std::string url, io::Termination* termination);
  virtual ~HttpClient() = default;

  // Any status is an answer. kNotFound: nobody there takes connections; kUnavailable: the connection broke; kCancelled: Ctrl-C,
  // SIGTERM or on_body; kExhausted: the answer is larger than kAnswerBytesMax, or the time is over; kIo: that is not HTTP.
  virtual Result<HttpAnswer> Do(const HttpCall& call) = 0;
  // The signal that cancelled a call, or that TakeSignal took; 0 when none did.
  virtual int signal() const = 0;
  // Whether Ctrl-C or SIGTERM came since. For work between calls.
  virtual bool TakeSignal() = 0;
  virtual const std::string& url() const = 0;
  // Whether the server is on this machine.
  bool is_loopback() const;

  // The document of a 2xx answer; what the problem document says otherwise.
  Result<Json> GetJson(const std::string& path);
  Result<Json> PostJson(const std::string& path, int64_t timeout_ms);
};

// Of an answer that is not ok(): detail, hint and, where there is one, the position become message and hint.
Error ErrorOf(const HttpAnswer& answer);

// `text` as one segment of a path.
std::string EscapePath(std::string_view text);

// Where the server tells of the table `name`, as in bronze.events. kInvalid: no such name.
Result<std::string> TablePath(const std::string& name);

}  // namespace sluice::cli
