// SPDX-License-Identifier: Apache-2.0
#include "front/http/ingest_endpoint.h"

#include <charconv>

#include "base/check.h"
#include "front/http/problems.h"

namespace sluice::front::http {
namespace {

using ingest::IngestStatus;

void AppendNumber(std::string& to, int64_t value) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  to.append(text, end);
}

Problem ProblemFor(IngestStatus status) {
  switch (status) {
    case IngestStatus::kMalformed: return Problem::kMalformedBody;
    case IngestStatus::kMalformedEncoding: return Problem::kMalformedEncoding;
    case IngestStatus::kTooLarge: return Problem::kBodyTooLarge;
    case IngestStatus::kUnsupportedType:
    case IngestStatus::kUnsupportedEncoding: return Problem::kUnsupportedMediaType;
    case IngestStatus::kInvalidEvents: return Problem::kInvalidEvent;
    case IngestStatus::kInvalidTopic: return Problem::kMalformedRequest;
    case IngestStatus::kBusy: return Problem::kLogBehind;
    case IngestStatus::kTopicQuota: return Problem::kTopicQuota;
    case IngestStatus::kDiskFull: return Problem::kDiskFull;
    case IngestStatus::kFailed: return Problem::kInternal;
    case IngestStatus::kTaken: break;
  }
  base::CheckFailed(__FILE__, __LINE__, "status", "a problem of a request that was taken");
}

Json RejectedJson(const event::RejectedEvent& rejected) {
  Json out;
  out.Set("index", rejected.index);
  out.Set("pointer", rejected.pointer);
  out.Set("reason", rejected.reason);
  return out;
}

HttpResponse Refusal(const ingest::IngestOutcome& outcome, std::span<const event::RejectedEvent> rejected) {
  Json::Object more;
  if (outcome.status == IngestStatus::kInvalidEvents) {
    Json list = Json::MakeArray();
    for (auto& r : rejected) list.Append(RejectedJson(r));
    more.emplace_back("rejected", outcome.rejected);
    more.emplace_back("errors", std::move(list));
  }
  return ProblemResponse(ProblemFor(outcome.status), outcome.message, outcome.hint, std::move(more));
}

void AppendRejected(std::string& to, const event::RejectedEvent* rejected) {
  to += "{\"error\":{";
  if (rejected != nullptr) {
    to += "\"pointer\":";
    AppendJsonString(to, rejected->pointer);
    to += ",\"reason\":";
    AppendJsonString(to, rejected->reason);
  } else {
    to += "\"reason\":\"rejected; only the first ";
    AppendNumber(to, static_cast<int64_t>(event::EventBatch::kRejectedListed));
    to += " reasons are listed\"";
  }
  to += "}}";
}

// `results[i]` is event i of the request.
void AppendResults(std::string& to, const ingest::Gate& gate) {
  const auto rejected = gate.rejected();
  size_t next_rejected = 0;
  to += ",\"results\":[";
  uint32_t index = 0;
  for (auto& event : gate.EventOutcomes()) {
    if (index > 0) to += ',';
    while (next_rejected < rejected.size() && rejected[next_rejected].index < index) next_rejected++;
    if (event.topic.empty()) {
      const bool listed = next_rejected < rejected.size() && rejected[next_rejected].index == index;
      AppendRejected(to, listed ? &rejected[next_rejected] : nullptr);
    } else {
      to += "{\"topic\":\"";
      to += event.topic;  // of [a-z0-9_-]: needs no escapes
      to += "\",\"partition\":";
      AppendNumber(to, event.partition);
      to += ",\"offset\":";
      AppendNumber(to, event.offset);
      to += event.duplicate ? ",\"duplicate\":true}" : ",\"duplicate\":false}";
    }
    index++;
  }
  to += ']';
}

HttpResponse Acceptance(const ingest::IngestOutcome& outcome, const ingest::Gate& gate, bool minimal, std::string scratch) {
  HttpResponse response;
  response.content_type = kJsonType;
  std::string& body = response.body = std::move(scratch);
  body += "{\"accepted\":";
  AppendNumber(body, outcome.accepted);
  body += ",\"duplicates\":";
  AppendNumber(body, outcome.duplicates);
  body += ",\"rejected\":";
  AppendNumber(body, outcome.rejected);
  if (!minimal) AppendResults(body, gate);
  body += '}';
  return response;
}

std::string_view Trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

RouteContract IngestContract() {
  const std::string event = R"({"specversion":"1.0","id":"1","source":"/shop","type":"order.created","data":{"amount":25}})";
  const std::string other = R"({"specversion":"1.0","id":"2","source":"/shop","type":"order.created","data":{"amount":30}})";
  RouteContract out;
  out.options = {
      {"Prefer", "header", "return=minimal: no results. handling=lenient: valid events are taken although others are not."},
      {"Content-Encoding", "header", "gzip or zstd."},
      {"ce-specversion", "header", "Binary mode: 1.0, and the other attributes in ce-id, ce-source, ce-type, ...; the body is the data."}};
  out.bodies = {{"application/cloudevents+json", event},
                {"application/cloudevents-batch+json", "[" + event + "," + other + "]"},
                {kNdjsonType, event + "\n" + other + "\n"},
                {"*/*", {}}};
  out.answers = {kJsonType};
  return out;
}

}  // namespace

IngestPreferences ParsePreferences(std::string_view prefer) {
  IngestPreferences out;
  while (!prefer.empty()) {
    const size_t comma = prefer.find(',');
    const auto preference = Trim(prefer.substr(0, comma));
    if (EqualsIgnoringCase(preference, "handling=lenient")) out.lenient = true;
    if (EqualsIgnoringCase(preference, "return=minimal")) out.minimal = true;
    prefer = comma == std::string_view::npos ? std::string_view() : prefer.substr(comma + 1);
  }
  return out;
}

std::vector<Route> IngestEndpoint::Routes(uint64_t body_bytes_max) {
  std::vector<Route> out;
  out.push_back({Method::kPost, "/v1/events",
                 [this](HttpRequest& request, Responder responder) { Take(request, std::move(responder), {}); },
                 "Takes CloudEvents and routes each by its type; answers when they are durable.", body_bytes_max, IngestContract()});
  out.push_back({Method::kPost, "/v1/topics/{topic}/events",
                 [this](HttpRequest& request, Responder responder) { Take(request, std::move(responder), request.Param("topic")); },
                 "Takes CloudEvents into one topic; answers when they are durable.", body_bytes_max, IngestContract()});
  return out;
}

struct IngestEndpoint::Decoding {
  ingest::IngestRequest request;
  std::vector<event::HttpHeader> headers;
  bool minimal;
  Responder responder;
};

void IngestEndpoint::Take(HttpRequest& request, Responder responder, std::string_view topic) {
  const auto preferences = ParsePreferences(request.Header("prefer"));
  ingest::IngestRequest in;
  in.content_type = request.Header("content-type");
  in.content_encoding = request.Header("content-encoding");
  in.body = request.body();
  in.topic = topic;
  in.lenient = preferences.lenient;
  in.principal = &principal_;
  headers_.clear();
  for (auto& h : request.headers) headers_.push_back({h.name, h.value});
  if (in.content_encoding.empty() && in.body.size() <= kSmallBodyBytesMax) {
    in.headers = headers_;
    return Finish(gate_.Ingest(in), preferences.minimal, std::move(responder));
  }
  auto decoding = std::make_shared<Decoding>(Decoding{in, headers_, preferences.minimal, std::move(responder)});
  decoding->request.headers = decoding->headers;
  // The request lives as long as its responder is not used.
  auto& thread = in.content_encoding.empty() && in.body.size() <= kUsualBodyBytesMax ? usual_ : long_;
  thread.Decode(decoding->request, [this, decoding](ingest::DecodeThread::Decoded decoded) {
    decoding->responder.loop().Post([this, decoding, decoded = std::move(decoded)]() mutable {
      const auto outcome = gate_.Admit(decoding->request, decoded.decoder(), std::move(decoded.outcome));
      Finish(outcome, decoding->minimal, std::move(decoding->responder));
    });
  });
}

void IngestEndpoint::Finish(const ingest::IngestOutcome& outcome, bool minimal, Responder responder) {
  if (!outcome.ok()) return responder.Send(Refusal(outcome, gate_.rejected()));
  auto response = Acceptance(outcome, gate_, minimal, responder.TakeScratch());
  waiting_.push_back({outcome.durable_after, std::move(responder), std::move(response)});
}

void IngestEndpoint::Answer(log::CommitSequence durable) {
  // A duplicate of an older event waits for less than its neighbours do: it leaves with them, in order, one commit later at most.
  while (!waiting_.empty() && waiting_.front().durable_after <= durable) {
    Waiting done = std::move(waiting_.front());
    waiting_.pop_front();
    done.responder.Send(std::move(done.response));
  }
}

}  // namespace sluice::front::http
