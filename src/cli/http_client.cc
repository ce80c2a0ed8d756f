// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/version.h"

namespace sluice::cli {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr int kPollMs = 1'000;

// CURL and CURLM are both void.
struct EasyFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct MultiFree {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// What the callbacks of one call fill.
struct Reception {
  CURL* handle;
  const HttpCall* call;
  HttpAnswer answer;
  bool stopped = false;  // on_body said so
  bool too_large = false;
};

size_t OnBody(char* data, size_t, size_t size, void* user) {
  auto& to = *static_cast<Reception*>(user);
  long status = 0;
  curl_easy_getinfo(to.handle, CURLINFO_RESPONSE_CODE, &status);
  if (to.call->on_body && status >= 200 && status < 300) {
    to.stopped = !to.call->on_body({data, size});
    return to.stopped ? 0 : size;
  }
  to.too_large = to.answer.body.size() + size > kAnswerBytesMax;
  if (to.too_large) return 0;
  to.answer.body.append(data, size);
  return size;
}

bool IsLoopback(const std::string& url) {
  for (auto* host : {"http://127.", "http://localhost", "http://[::1]"})
    if (url.starts_with(host)) return true;
  return false;
}

class CurlClient final : public HttpClient {
 public:
  CurlClient(std::string url, io::Termination* termination)
      : url_(std::move(url)), termination_(termination), easy_(curl_easy_init()), multi_(curl_multi_init()) {}

  Result<HttpAnswer> Do(const HttpCall& call) override;
  int signal() const override { return signal_; }
  bool TakeSignal() override { return termination_ != nullptr && (signal_ = termination_->Take()) != 0; }
  const std::string& url() const override { return url_; }

 private:
  void Prepare(const HttpCall& call, Reception& to, curl_slist* headers);
  CURLcode Perform();
  Error Explain(CURLcode code, const Reception& got, const HttpCall& call) const;

  const std::string url_;
  io::Termination* const termination_;
  const std::unique_ptr<CURL, EasyFree> easy_;
  const std::unique_ptr<CURLM, MultiFree> multi_;
  char reason_[CURL_ERROR_SIZE] = {};
  int signal_ = 0;
};

void CurlClient::Prepare(const HttpCall& call, Reception& to, curl_slist* headers) {
  CURL* handle = easy_.get();
  curl_easy_reset(handle);
  reason_[0] = 0;
  const std::string target = url_ + call.path;
  curl_easy_setopt(handle, CURLOPT_URL, target.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason_);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout_ms));
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &to);
  if (IsLoopback(url_)) curl_easy_setopt(handle, CURLOPT_PROXY, "");  // a proxy of the environment cannot reach our loopback
  if (!call.post) return;
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.data() == nullptr ? "" : call.body.data());
}

// The multi interface, because it can wait for our signals together with the connection.
CURLcode CurlClient::Perform() {
  curl_waitfd bell{termination_ != nullptr ? termination_->descriptor() : -1, CURL_WAIT_POLLIN, 0};
  int running = 1;
  while (running > 0) {
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    bell.revents = 0;
    curl_multi_poll(multi_.get(), &bell, termination_ != nullptr ? 1 : 0, kPollMs, nullptr);
    if (TakeSignal()) return CURLE_ABORTED_BY_CALLBACK;
  }
  int left = 0;
  auto* message = curl_multi_info_read(multi_.get(), &left);
  return message != nullptr ? message->data.result : CURLE_RECV_ERROR;
}

Error CurlClient::Explain(CURLcode code, const Reception& got, const HttpCall& call) const {
  const std::string reason = reason_[0] != 0 ? reason_ : curl_easy_strerror(code);
  if (got.stopped || code == CURLE_ABORTED_BY_CALLBACK) return {ErrorCode::kCancelled, "cancelled", {}};
  if (got.too_large)
    return {ErrorCode::kExhausted, "the answer is larger than " + std::to_string(kAnswerBytesMax >> 20) + " MiB",
            "ask for less, or use -o csv or -o ndjson"};
  double connected_s = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME, &connected_s);
  if (code == CURLE_OPERATION_TIMEDOUT && call.timeout_ms > 0 && connected_s > 0)
    return {ErrorCode::kExhausted, url_ + " did not answer in " + std::to_string(call.timeout_ms) + " ms", {}};
  if (code == CURLE_COULDNT_CONNECT)
    return {ErrorCode::kNotFound, "no server at " + url_, "start one with `sluice serve`, or name another with --url or SLUICE_URL"};
  if (code == CURLE_COULDNT_RESOLVE_HOST)
    return {ErrorCode::kNotFound, "the host of " + url_ + " is not known", "check --url or SLUICE_URL"};
  if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING)
    return {ErrorCode::kUnavailable, "the connection to " + url_ + " broke: " + reason, "what came so far is not the whole answer"};
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
    return {ErrorCode::kIo, "what answers at " + url_ + " does not speak HTTP: " + reason, "check --url or SLUICE_URL"};
  return {connected_s > 0 ? ErrorCode::kUnavailable : ErrorCode::kNotFound, url_ + " cannot be reached: " + reason,
          "check --url or SLUICE_URL"};
}

Result<HttpAnswer> CurlClient::Do(const HttpCall& call) {
  if (easy_ == nullptr || multi_ == nullptr) return Error{ErrorCode::kExhausted, "libcurl cannot be set up", {}};
  curl_slist* list = nullptr;
  for (auto& header : call.headers) list = curl_slist_append(list, header.c_str());
  list = curl_slist_append(list, ("User-Agent: sluice/" + std::string(base::kVersion)).c_str());
  list = curl_slist_append(list, "Expect:");  // no round trip before a large body
  std::unique_ptr<curl_slist, ListFree> headers(list);
  Reception got{easy_.get(), &call, {}};
  Prepare(call, got, headers.get());
  curl_multi_add_handle(multi_.get(), easy_.get());
  const CURLcode code = Perform();
  curl_multi_remove_handle(multi_.get(), easy_.get());  // of a call that still ran: closes its connection, and the server stops
  if (code != CURLE_OK) return Explain(code, got, call);
  long status = 0;
  char* type = nullptr;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
  got.answer.status = static_cast<int>(status);
  got.answer.content_type = type != nullptr ? type : "";
  got.answer.retry_after_s = retry_after > 0 ? retry_after : -1;
  return std::move(got.answer);
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Make(std::string url, io::Termination* termination) {
  if (url.empty()) {
    const char* from_environment = std::getenv("SLUICE_URL");
    url = from_environment != nullptr && *from_environment != 0 ? from_environment : kUrlDefault;
  }
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return Error{ErrorCode::kInvalid, "\"" + url + "\" is no URL of a server", "write it as " + std::string(kUrlDefault)};
  return std::unique_ptr<HttpClient>(std::make_unique<CurlClient>(std::move(url), termination));
}

Error ErrorOf(const HttpAnswer& answer) {
  const ErrorCode code = answer.status == 404                           ? ErrorCode::kNotFound
                         : answer.status == 429 || answer.status == 503 ? ErrorCode::kUnavailable
                         : answer.status == 409                         ? ErrorCode::kConflict
                         : answer.status >= 400 && answer.status < 500  ? ErrorCode::kInvalid
                                                                        : ErrorCode::kIo;
  auto problem = Json::Parse(answer.body);
  if (!problem.ok() || (*problem)["detail"].AsString().empty())
    return {code, "the server answered " + std::to_string(answer.status) + " without saying why", "is it a Sluice server?"};
  return {code, (*problem)["detail"].AsString(), (*problem)["hint"].AsString()};
}

bool HttpClient::is_loopback() const { return IsLoopback(url()); }

Result<Json> HttpClient::GetJson(const std::string& path) {
  ASSIGN_OR_RETURN(auto answer, Do({.path = path}));
  if (!answer.ok()) return ErrorOf(answer);
  return Json::Parse(answer.body);
}

Result<Json> HttpClient::PostJson(const std::string& path, int64_t timeout_ms) {
  ASSIGN_OR_RETURN(auto answer, Do({.path = path, .post = true, .timeout_ms = timeout_ms}));
  if (!answer.ok()) return ErrorOf(answer);
  return Json::Parse(answer.body);
}

std::string EscapePath(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::strchr("-._~", c) != nullptr) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    }
  }
  return out;
}

Result<std::string> TablePath(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size())
    return Error{ErrorCode::kInvalid, "\"" + name + "\" is no name of a table",
                 "write it as bronze.events; `sluice table list` lists them"};
  return "/v1/tables/" + EscapePath(name.substr(0, dot)) + "/" + EscapePath(name.substr(dot + 1));
}

}  // namespace sluice::cli
