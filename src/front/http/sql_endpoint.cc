// SPDX-License-Identifier: Apache-2.0
#include "front/http/sql_endpoint.h"

#include <memory>
#include <utility>

#include "front/http/problems.h"
#include "front/http/result_writer.h"
#include "front/http/thread_stream.h"

namespace sluice::front::http {
namespace {

// An answer up to this size leaves whole, with its length and a status that fits how it ended.
constexpr size_t kWholeBytesMax = 64 << 10;
constexpr size_t kPieceBytes = 64 << 10;

Problem ProblemOf(query::QueryErrorKind kind) {
  switch (kind) {
    case query::QueryErrorKind::kSyntax:
    case query::QueryErrorKind::kUnknownName:
    case query::QueryErrorKind::kInvalid: return Problem::kInvalidSql;
    case query::QueryErrorKind::kForbidden: return Problem::kForbidden;
    case query::QueryErrorKind::kTimeout: return Problem::kStatementTimeout;
    case query::QueryErrorKind::kOutOfMemory:
    case query::QueryErrorKind::kWorkerDied: return Problem::kInvalidSql;
    case query::QueryErrorKind::kExhausted: return Problem::kBusy;
    case query::QueryErrorKind::kUnavailable: return Problem::kUnavailable;
    case query::QueryErrorKind::kCancelled:
    case query::QueryErrorKind::kInternal: return Problem::kInternal;
  }
  return Problem::kInternal;
}

HttpResponse Refusal(const query::QueryError& error) {
  Json::Object more{{"kind", Json(query::QueryErrorName(error.kind))}};
  if (error.position) more.emplace_back("position", static_cast<int64_t>(*error.position));
  return ProblemResponse(ProblemOf(error.kind), error.message, error.hint, std::move(more));
}

// Renders rows on the query thread and passes them to the client, which may be slow: then the statement waits.
class HttpResultSink : public query::ResultSink {
 public:
  HttpResultSink(ThreadStream stream, ResultFormat format) : stream_(std::move(stream)), writer_(MakeResultWriter(format)) {}

  Result<void> OnSchema(const ArrowSchema& schema) override {
    RETURN_IF_ERROR(writer_->Begin(schema, pending_));
    return Pass();
  }
  Result<void> OnBatch(Columns batch) override {
    RETURN_IF_ERROR(writer_->Append(std::move(batch), pending_));
    return Pass();
  }
  void OnDone(const query::StatementStats& stats) override {
    if (!writer_->End(stats, pending_).ok()) return stream_.Abort();
    if (!streaming_) return stream_.Send({200, writer_->content_type(), {}, std::move(pending_)});
    if (stream_.Write(std::move(pending_)).ok()) stream_.End();
  }
  void OnError(const query::QueryError& error, const query::StatementStats& stats) override {
    if (stream_.gone()) return stream_.Abort();
    if (!streaming_) return stream_.Send(Refusal(error));
    // Rows have left already: say it at their end where the format can, else break the answer. Never a silent cut.
    if (!writer_->Fail(error, stats, pending_)) return stream_.Abort();
    if (stream_.Write(std::move(pending_)).ok()) stream_.End();
  }

 private:
  Result<void> Pass() {
    if (stream_.gone()) return Error{ErrorCode::kCancelled, "the client went away", {}};
    if (pending_.size() < (streaming_ ? kPieceBytes : kWholeBytesMax)) return {};
    if (!streaming_) {
      streaming_ = true;
      stream_.Begin({200, writer_->content_type(), {}, {}});
    }
    return stream_.Write(std::exchange(pending_, {}));
  }

  ThreadStream stream_;
  std::unique_ptr<ResultWriter> writer_;
  std::string pending_;
  bool streaming_ = false;
};

Result<query::SqlParameter> ParameterOf(const Json& json) {
  if (json.is_null()) return query::SqlParameter();
  if (json.is_bool()) return query::SqlParameter(json.AsBool());
  if (json.is_int()) return query::SqlParameter(json.AsInt());
  if (json.is_number()) return query::SqlParameter(json.AsDouble());
  if (json.is_string()) return query::SqlParameter(json.AsString());
  return Error{ErrorCode::kInvalid, "a parameter is an array or an object", "params holds null, booleans, numbers and strings"};
}

Result<query::SqlRequest> ReadMembers(const Json& json, query::SqlRequest out) {
  for (auto& [name, value] : json.AsObject())
    if (name != "sql" && name != "params" && name != "timeout_ms")
      return Error{ErrorCode::kInvalid, "the request has no member \"" + name + "\"", "use \"sql\", \"params\" and \"timeout_ms\""};
  ASSIGN_OR_RETURN(out.sql, json.RequireString("sql"));
  if (json.Find("params") != nullptr) {
    ASSIGN_OR_RETURN(auto* parameters, json.RequireArray("params"));
    for (auto& value : parameters->AsArray()) {
      ASSIGN_OR_RETURN(auto parameter, ParameterOf(value));
      out.parameters.push_back(std::move(parameter));
    }
  }
  if (json.Find("timeout_ms") != nullptr) { ASSIGN_OR_RETURN(out.timeout_ms, json.RequireInt("timeout_ms")); }
  return out;
}

RouteContract SqlContract() {
  RouteContract out;
  out.bodies = {{kJsonType, R"({"sql":"SELECT $1 AS answer","params":[42],"timeout_ms":5000})"}, {"text/plain", "SHOW TABLES"}};
  out.answers = {kJsonType, kNdjsonType, kCsvType, kArrowType};
  return out;
}

}  // namespace

ResultFormat FormatOf(std::string_view accept) {
  if (accept.find(kArrowType) != std::string_view::npos) return ResultFormat::kArrow;
  if (accept.find(kNdjsonType) != std::string_view::npos) return ResultFormat::kNdjson;
  if (accept.find(kCsvType) != std::string_view::npos) return ResultFormat::kCsv;
  return ResultFormat::kJson;
}

Result<query::SqlRequest> ParseSqlRequest(std::string_view body, int64_t timeout_ms_default, Problem& problem) {
  problem = Problem::kInvalidSql;
  query::SqlRequest out;
  out.timeout_ms = timeout_ms_default;
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || body[first] != '{') {  // no statement begins with '{'
    out.sql = body;
  } else {
    auto json = Json::Parse(body);
    if (!json.ok()) {
      problem = Problem::kMalformedBody;
      return Error{ErrorCode::kInvalid, json.error().message, "send {\"sql\":\"...\"}, or the statement as plain text"};
    }
    ASSIGN_OR_RETURN(out, ReadMembers(*json, std::move(out)));
  }
  if (auto valid = query::ValidateRequest(out); !valid.ok()) {
    if (valid.error().code == ErrorCode::kExhausted) problem = Problem::kBodyTooLarge;
    return valid.error();
  }
  return out;
}

std::vector<Route> SqlEndpoint::Routes() {
  std::vector<Route> out;
  out.push_back({Method::kPost, "/v1/sql", [this](HttpRequest& request, Responder responder) { Run(request, std::move(responder)); },
                 "Runs one SELECT; answers JSON, or NDJSON, CSV and Arrow by Accept.", query::kSqlBytesMax + query::kSqlParameterBytesMax,
                 SqlContract()});
  return out;
}

void SqlEndpoint::Run(HttpRequest& request, Responder responder) {
  Problem problem;
  auto parsed = ParseSqlRequest(request.body(), timeout_ms_default_, problem);
  if (!parsed.ok()) return responder.Send(ProblemResponse(problem, parsed.error().message, parsed.error().hint));
  // The client may go before the statement has its number; both happen on this thread, so the number is always there.
  auto id = std::make_shared<query::Session::StatementId>(0);
  ThreadStream stream(env_.threads, std::move(responder), [this, id] { session_.Cancel(*id); });
  auto sink = std::make_shared<HttpResultSink>(std::move(stream), FormatOf(request.Header("accept")));
  auto submitted = session_.Submit(std::move(*parsed), sink);
  if (submitted.ok()) *id = *submitted;
  else sink->OnError({query::QueryErrorKind::kExhausted, submitted.error().message, std::nullopt, submitted.error().hint}, {});
}

}  // namespace sluice::front::http
