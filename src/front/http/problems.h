// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What can go wrong in a request, as one table: a stable slug, its status and title. Answers are RFC 9457 problem documents:
//
//   {"type":"urn:sluice:problem:not-found","title":"...","status":404,"detail":"...","hint":"...", further members}
//
// Clients decide by slug or status and never by the sentences.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "front/http/http_message.h"

namespace sluice::front::http {

enum class Problem : uint8_t {
  kMalformedRequest,
  kMalformedBody,
  kMalformedEncoding,
  kForbidden,
  kNotFound,
  kMethodNotAllowed,
  kRequestTimeout,
  kConflict,
  kBodyTooLarge,
  kTargetTooLong,
  kUnsupportedMediaType,
  kExpectationFailed,
  kInvalidEvent,
  kInvalidSql,
  kQuota,
  kBusy,
  kHeadTooLarge,
  kInternal,
  kOutcomeUnknown,
  kNotImplemented,
  kUnavailable,
  kLogBehind,
  kTopicQuota,
  kTooManyConnections,
  kStopping,
  kStatementTimeout,
  kVersionNotSupported,
  kDiskFull,
};

struct ProblemKind {
  Problem problem;
  std::string_view slug;
  int status;
  std::string_view title;
  bool retry;  // the same request may succeed later: the answer carries Retry-After
};

// All kinds, in the order of the enum: for documents.
std::span<const ProblemKind> ProblemKinds();
const ProblemKind& KindOf(Problem problem);
// The table from what the engine says to what HTTP says.
Problem ProblemOf(ErrorCode code);

constexpr int kRetryAfterSeconds = 1;

// The answer for a problem. `detail`: what went wrong; `hint`: what to do, may be empty; `more`: further members.
HttpResponse ProblemResponse(Problem problem, std::string_view detail, std::string_view hint = {}, Json::Object more = {});
// By ProblemOf; message and hint of `error` become detail and hint.
HttpResponse ProblemResponse(const Error& error);

}  // namespace sluice::front::http
