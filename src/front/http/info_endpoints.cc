// SPDX-License-Identifier: Apache-2.0
#include "front/http/info_endpoints.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "front/http/problems.h"
#include "front/http/responder.h"

namespace sluice::front::http {
namespace {

constexpr int kJsonIndent = 2;
constexpr std::string_view kTextType = "text/plain";
constexpr std::string_view kPageType = "text/html; charset=utf-8";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4";

HttpResponse JsonResponse(const Json& json) { return {200, kJsonType, {}, json.Dump(kJsonIndent) + "\n"}; }
HttpResponse JsonResponse(const Result<Json>& json) { return json.ok() ? JsonResponse(*json) : ProblemResponse(json.error()); }

std::string TableOf(const HttpRequest& request) {
  return std::string(request.Param("namespace")) + "." + std::string(request.Param("table"));
}

// Nothing: it is no number within the bound.
std::optional<int64_t> TimeoutOf(const HttpRequest& request) {
  auto text = request.Query("timeout_ms");
  if (!text) return kFlushTimeoutMsDefault;
  int64_t value = 0;
  auto parsed = std::from_chars(text->data(), text->data() + text->size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size() || value < 1 || value > kFlushTimeoutMsMax) return std::nullopt;
  return value;
}

void Flush(EngineInfo& engine, HttpRequest& request, Responder responder) {
  const auto timeout_ms = TimeoutOf(request);
  if (!timeout_ms)
    return responder.Send(
        ProblemResponse(Problem::kMalformedRequest, "timeout_ms is no number between 1 and " + std::to_string(kFlushTimeoutMsMax)));
  // A std::function must be copyable, a Responder is not.
  auto shared = std::make_shared<Responder>(std::move(responder));
  engine.Flush(TableOf(request), *timeout_ms, [shared](Result<Json> done) { shared->Send(JsonResponse(done)); });
}

void Resume(EngineInfo& engine, HttpRequest& request, Responder responder) {
  auto shared = std::make_shared<Responder>(std::move(responder));
  auto from = request.Query("from");
  engine.Resume(TableOf(request), from ? std::optional<std::string>(*from) : std::nullopt,
                [shared](Result<Json> done) { shared->Send(JsonResponse(done)); });
}

std::string FirstPage(const HttpRequest& request) {
  const std::string url = "http://" + std::string(request.Header("host").empty() ? "127.0.0.1:8080" : request.Header("host"));
  std::string page =
      "<!doctype html><meta charset=\"utf-8\"><title>Sluice</title>\n"
      "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 "
      "1rem}pre{background:#f4f4f4;padding:1rem;overflow:auto}</style>\n"
      "<h1>Sluice</h1>\n<p>The gate between event streams and a lake. Send an event:</p>\n<pre>";
  page += "curl -s " + url +
          "/v1/events -H 'content-type: application/cloudevents+json' \\\n"
          "  -d '{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/demo\",\"type\":\"hello\",\"data\":{\"text\":\"hi\"}}'</pre>\n";
  page += "<p>Ask for it, while it is in memory and when it is in the table:</p>\n<pre>";
  page += "curl -s " + url + "/v1/sql -d 'SELECT id, type, time, data FROM bronze.events ORDER BY time DESC LIMIT 10'</pre>\n";
  page += "<p>Move it into the Iceberg table now:</p>\n<pre>curl -s -X POST " + url + "/v1/tables/bronze/events/flush</pre>\n";
  page +=
      "<p><a href=\"/v1/topics\">topics</a> · <a href=\"/v1/tables\">tables</a> · <a href=\"/v1/status\">status</a> · <a "
      "href=\"/metrics\">metrics</a> · "
      "<a href=\"/openapi.json\">openapi.json</a> · <a href=\"/version\">version</a></p>\n";
  return page;
}

Route Get(std::string pattern, std::string description, std::function<HttpResponse(HttpRequest&)> answer,
          std::string_view content_type = kJsonType) {
  return {Method::kGet,
          std::move(pattern),
          [answer = std::move(answer)](HttpRequest& request, Responder responder) { responder.Send(answer(request)); },
          std::move(description),
          kBodyBytesMax,
          {.answers = {content_type}}};
}

HttpResponse Readiness(EngineInfo& engine) {
  std::string why;
  if (!engine.IsReady(why)) return ProblemResponse(Problem::kUnavailable, why);
  std::string text = "ready\n";
  for (auto& line : engine.WhatIsLoading()) text += "loading " + line + "\n";
  return {200, kTextType, {}, text};
}

}  // namespace

std::vector<Route> InfoRoutes(EngineInfo& engine) {
  std::vector<Route> out;
  out.push_back(Get(
      "/", "A first page with commands that work.",
      [](HttpRequest& r) {
        return HttpResponse{200, kPageType, {}, FirstPage(r)};
      },
      kPageType));
  out.push_back(Get(
      "/livez", "200 as long as the process runs.",
      [](HttpRequest&) {
        return HttpResponse{200, kTextType, {}, "alive\n"};
      },
      kTextType));
  out.push_back(Get(
      "/readyz",
      "200 when events and statements are taken, 503 while starting or stopping. Lines tell which tables are still loading: statements "
      "wait for them.",
      [&engine](HttpRequest&) { return Readiness(engine); }, kTextType));
  out.push_back(
      Get("/version", "Version, commit and format versions.", [&engine](HttpRequest&) { return JsonResponse(engine.Version()); }));
  out.push_back(Get(
      "/metrics", "Metrics in Prometheus text format.",
      [&engine](HttpRequest&) {
        return HttpResponse{200, kMetricsType, {}, engine.Metrics()};
      },
      kMetricsType));
  out.push_back(
      Get("/v1/status", "Bytes by part, and the state of everything.", [&engine](HttpRequest&) { return JsonResponse(engine.Status()); }));
  out.push_back(Get("/v1/topics", "All topics.", [&engine](HttpRequest&) { return JsonResponse(engine.ListTopics()); }));
  out.push_back(Get("/v1/topics/{topic}", "One topic: partitions, offsets, settings.",
                    [&engine](HttpRequest& r) { return JsonResponse(engine.DescribeTopic(r.Param("topic"))); }));
  out.push_back(Get("/v1/tables", "All tables.", [&engine](HttpRequest&) { return JsonResponse(engine.ListTables()); }));
  out.push_back(Get("/v1/tables/{namespace}/{table}", "One table: schema, snapshot, offsets, lag, state.",
                    [&engine](HttpRequest& r) { return JsonResponse(engine.DescribeTable(TableOf(r))); }));
  out.push_back(Get("/v1/tables/{namespace}/{table}/snapshots", "The snapshots of a table.",
                    [&engine](HttpRequest& r) { return JsonResponse(engine.ListSnapshots(TableOf(r))); }));
  out.push_back(
      {Method::kPost,
       "/v1/tables/{namespace}/{table}/flush",
       [&engine](HttpRequest& r, Responder responder) { Flush(engine, r, std::move(responder)); },
       "Moves everything acknowledged so far into the table; answers when that is committed.",
       kBodyBytesMax,
       {.options = {{"timeout_ms", "query", "How long to wait, at most 600000 (60000 unless given). Beyond it 503, and the move goes on."}},
        .answers = {kJsonType}}});
  out.push_back(
      {Method::kPost,
       "/v1/tables/{namespace}/{table}/resume",
       [&engine](HttpRequest& r, Responder responder) { Resume(engine, r, std::move(responder)); },
       "Lets a paused table go on where it stopped.",
       kBodyBytesMax,
       {.options = {{"from", "query", "Where to go on instead: table, hot, log, or offsets as 0:1707,3:12."}}, .answers = {kJsonType}}});
  return out;
}

}  // namespace sluice::front::http
