// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// POST /v1/sql: a statement in, rows out as JSON, NDJSON, CSV or Arrow. Statements run on query threads; what is short is answered
// whole, what is long is streamed as fast as the client reads.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "front/http/http_message.h"
#include "front/http/problems.h"
#include "front/http/responder.h"
#include "front/http/router.h"
#include "io/env.h"
#include "query/session.h"

namespace sluice::front::http {

enum class ResultFormat : uint8_t { kJson, kNdjson, kCsv, kArrow };

// By the Accept header; without a known type in it, JSON.
ResultFormat FormatOf(std::string_view accept);

// {"sql":..., "params":[...], "timeout_ms":n}, or the statement as plain text. On error `problem` says what kind it is.
Result<query::SqlRequest> ParseSqlRequest(std::string_view body, int64_t timeout_ms_default, Problem& problem);

// The loop's. References must outlive it.
class SqlEndpoint {
 public:
  SqlEndpoint(io::Env env, query::Session& session, int64_t timeout_ms_default) : env_(env), session_(session), timeout_ms_default_(timeout_ms_default) {}
  std::vector<Route> Routes();

 private:
  void Run(HttpRequest& request, Responder responder);

  io::Env env_;
  query::Session& session_;
  const int64_t timeout_ms_default_;
};

}  // namespace sluice::front::http
