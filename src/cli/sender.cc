// SPDX-License-Identifier: Apache-2.0
#include "cli/sender.h"

#include <poll.h>

#include <algorithm>

#include "base/backoff.h"
#include "ingest/gzip.h"

namespace sluice::cli {
namespace {

constexpr int64_t kRetryAfterSecondsMax = 60;
constexpr int kTooLarge = 413;

bool IsNobodyThere(const Result<HttpAnswer>& answer) { return !answer.ok() && answer.error().code == ErrorCode::kNotFound; }

bool IsTemporary(const Result<HttpAnswer>& answer) {
  if (!answer.ok())
    return IsNobodyThere(answer) || answer.error().code == ErrorCode::kUnavailable || answer.error().code == ErrorCode::kExhausted;
  return answer->status == 429 || answer->status == 503 || answer->status == 507;
}

}  // namespace

Result<void> Sender::Add(int64_t record, std::string_view event) {
  if (!records_.empty() && (records_.size() >= options_.batch_events || body_.size() + event.size() + 1 > kBatchBytesMax))
    RETURN_IF_ERROR(Flush());
  body_ += event;
  body_ += '\n';
  records_.push_back(record);
  return {};
}

Result<void> Sender::WaitToRetry(int64_t delay_us) {
  pollfd bell{termination_.descriptor(), POLLIN, 0};
  const bool rung = poll(&bell, 1, static_cast<int>(delay_us / 1'000)) > 0 && termination_.Take() != 0;
  if (rung) return Error{ErrorCode::kCancelled, "cancelled", {}};
  return {};
}

Result<HttpAnswer> Sender::SendUntilAnswered() {
  HttpCall call;
  call.path = options_.path;
  call.post = true;
  const std::string packed = options_.gzip ? ingest::Gzip(body_) : std::string();
  call.body = options_.gzip ? packed : body_;
  call.timeout_ms = options_.timeout_ms;
  call.headers = {"Content-Type: application/x-ndjson", options_.lenient ? "Prefer: handling=lenient" : "Prefer: return=minimal"};
  if (options_.gzip) call.headers.push_back("Content-Encoding: gzip");
  base::Backoff backoff;
  for (int attempt = 0;; attempt++) {
    auto answer = client_.Do(call);
    if (!IsTemporary(answer)) return answer;
    // Nobody ever took a connection there: most likely there is no server, and waiting for it would only hide that.
    met_ = met_ || !IsNobodyThere(answer);
    if (attempt >= options_.retries || !met_) return answer.ok() ? Result<HttpAnswer>(ErrorOf(*answer)) : answer;
    int64_t delay_us = backoff.NextDelay(env_.random.Next64());
    if (answer.ok() && answer->retry_after_s > 0)
      delay_us = std::max(delay_us, std::min(answer->retry_after_s, kRetryAfterSecondsMax) * kMicrosPerSecond);
    if (on_retry_) on_retry_(answer.ok() ? ErrorOf(*answer).message : answer.error().message);
    RETURN_IF_ERROR(WaitToRetry(delay_us));
  }
}

void Sender::Account(const Json& answer) {
  totals_.sent += static_cast<int64_t>(records_.size());
  totals_.accepted += answer["accepted"].AsInt();
  totals_.duplicates += answer["duplicates"].AsInt();
  totals_.rejected += answer["rejected"].AsInt();
  totals_.record_last = std::max(totals_.record_last, records_.back());
  const auto& results = answer["results"].AsArray();
  for (size_t i = 0; i < std::min(results.size(), records_.size()); i++)
    if (auto* error = results[i].Find("error")) on_refused_({records_[i], (*error)["pointer"].AsString(), (*error)["reason"].AsString()});
}

void Sender::TellRefused(const Json& problem) {
  for (auto& error : problem["errors"].AsArray()) {
    const auto index = static_cast<size_t>(error["index"].AsInt());
    if (index < records_.size()) on_refused_({records_[index], error["pointer"].AsString(), error["reason"].AsString()});
  }
  totals_.rejected += problem["rejected"].AsInt();
}

Result<void> Sender::Refuse(const HttpAnswer& answer) {
  Error error = ErrorOf(answer);
  if (answer.status == kTooLarge && records_.size() == 1) {  // larger than a request: the server did not look at it as an event
    on_refused_({records_[0], {}, error.message});
    totals_.rejected++;
    if (options_.lenient) return Forget(), Result<void>();
    error = Error{ErrorCode::kInvalid, "1 event is too large", {}};
  }
  if (error.code == ErrorCode::kInvalid && totals_.rejected > 0)
    error.hint = "nothing of records " + std::to_string(records_.front()) + " to " + std::to_string(records_.back()) +
                 " was taken; --lenient takes the valid ones";
  return error;
}

Result<void> Sender::Flush() {
  if (records_.empty()) return {};
  ASSIGN_OR_RETURN(auto answer, SendUntilAnswered());
  met_ = true;
  auto document = Json::Parse(answer.body);
  if (!answer.ok()) {
    if (document.ok()) TellRefused(*document);
    return Refuse(answer);
  }
  if (!document.ok()) return Error{ErrorCode::kIo, "the server's answer is not JSON", "is " + client_.url() + " a Sluice server?"};
  Account(*document);
  Forget();
  return {};
}

void Sender::Forget() {
  body_.clear();
  records_.clear();
}

}  // namespace sluice::cli
