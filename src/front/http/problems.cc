// SPDX-License-Identifier: Apache-2.0
#include "front/http/problems.h"

namespace sluice::front::http {
namespace {

constexpr ProblemKind kKinds[] = {
    {Problem::kMalformedRequest, "malformed-request", 400, "The request is not valid", false},
    {Problem::kMalformedBody, "malformed-body", 400, "The body cannot be parsed", false},
    {Problem::kMalformedEncoding, "malformed-encoding", 400, "The body cannot be decompressed", false},
    {Problem::kForbidden, "forbidden", 403, "This is not allowed", false},
    {Problem::kNotFound, "not-found", 404, "There is no such thing", false},
    {Problem::kMethodNotAllowed, "method-not-allowed", 405, "The path does not take this method", false},
    {Problem::kRequestTimeout, "request-timeout", 408, "The request took too long to arrive", false},
    {Problem::kConflict, "conflict", 409, "Somebody else changed it first", false},
    {Problem::kBodyTooLarge, "body-too-large", 413, "The body is larger than the limit", false},
    {Problem::kTargetTooLong, "target-too-long", 414, "The path and query are longer than the limit", false},
    {Problem::kUnsupportedMediaType, "unsupported-media-type", 415, "The content type is not one that is taken here", false},
    {Problem::kExpectationFailed, "expectation-failed", 417, "The Expect header asks for something unknown", false},
    {Problem::kInvalidEvent, "invalid-event", 422, "At least one event is not valid", false},
    {Problem::kInvalidSql, "invalid-sql", 422, "The statement cannot be run", false},
    {Problem::kQuota, "quota", 429, "The client used up its quota", true},
    {Problem::kBusy, "busy", 429, "Too many requests of this kind are running", true},
    {Problem::kHeadTooLarge, "head-too-large", 431, "The request's headers are larger than the limit", false},
    {Problem::kInternal, "internal", 500, "The server failed", false},
    {Problem::kOutcomeUnknown, "outcome-unknown", 500, "It is not known whether it was done", false},
    {Problem::kNotImplemented, "not-implemented", 501, "The server does not know this method or coding", false},
    {Problem::kUnavailable, "unavailable", 503, "Not now", true},
    {Problem::kLogBehind, "log-behind", 503, "Events arrive faster than they can be stored", true},
    {Problem::kTopicQuota, "topic-quota", 503, "The topic holds as many untiered bytes as it may", true},
    {Problem::kTooManyConnections, "too-many-connections", 503, "The server has as many connections as it may", true},
    {Problem::kStopping, "stopping", 503, "The server is stopping", true},
    {Problem::kStatementTimeout, "statement-timeout", 504, "The statement did not end in its time", false},
    {Problem::kVersionNotSupported, "version-not-supported", 505, "The server speaks HTTP/1.1 and HTTP/1.0", false},
    {Problem::kDiskFull, "disk-full", 507, "The disk is full", true},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    if (static_cast<size_t>(kKinds[i].problem) != i) return false;
  }
  return std::size(kKinds) == static_cast<size_t>(Problem::kDiskFull) + 1;
}
static_assert(InOrder(), "the table follows the enum");

}  // namespace

std::span<const ProblemKind> ProblemKinds() { return kKinds; }

const ProblemKind& KindOf(Problem problem) { return kKinds[static_cast<size_t>(problem)]; }

Problem ProblemOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return Problem::kMalformedRequest;
    case ErrorCode::kNotFound: return Problem::kNotFound;
    case ErrorCode::kExists: return Problem::kConflict;
    case ErrorCode::kConflict: return Problem::kConflict;
    case ErrorCode::kUnavailable: return Problem::kUnavailable;
    case ErrorCode::kExhausted: return Problem::kBusy;
    case ErrorCode::kIo: return Problem::kInternal;
    case ErrorCode::kCorruption: return Problem::kInternal;
    case ErrorCode::kCommitUnknown: return Problem::kOutcomeUnknown;
    case ErrorCode::kCancelled: return Problem::kStopping;
  }
  return Problem::kInternal;
}

HttpResponse ProblemResponse(Problem problem, std::string_view detail, std::string_view hint, Json::Object more) {
  const ProblemKind& kind = KindOf(problem);
  Json document = Json::MakeObject();
  document.Set("type", "urn:sluice:problem:" + std::string(kind.slug));
  document.Set("title", kind.title);
  document.Set("status", kind.status);
  document.Set("detail", detail);
  if (!hint.empty()) document.Set("hint", hint);
  for (auto& [name, value] : more) document.Set(name, std::move(value));
  HttpResponse response{.status = kind.status, .content_type = kProblemType, .body = document.Dump() + "\n"};
  if (kind.retry) response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

HttpResponse ProblemResponse(const Error& error) { return ProblemResponse(ProblemOf(error.code), error.message, error.hint); }

}  // namespace sluice::front::http
