// SPDX-License-Identifier: Apache-2.0
#include "front/http/router.h"

#include <gtest/gtest.h>

#include "front/http/problems.h"
#include "front/http/responder.h"

namespace sluice::front::http {
namespace {

Route Make(Method method, std::string pattern) {
  return {method, std::move(pattern), [](HttpRequest&, Responder) {}, "Does something."};
}

Router Table() {
  return Router::Make({Make(Method::kGet, "/"), Make(Method::kPost, "/v1/events"), Make(Method::kGet, "/v1/tables/{namespace}/{table}"),
                       Make(Method::kDelete, "/v1/tables/{a}/{b}"), Make(Method::kGet, "/v1/tables/{namespace}/all"),
                       Make(Method::kPost, "/v1/topics/{topic}/events"), Make(Method::kHead, "/own"), Make(Method::kGet, "/own")})
      .value();
}

Router::Match Find(const Router& router, HttpRequest& request, Method method, std::string_view path) {
  request.Clear();
  request.method = method;
  request.raw_path = request.path = path;
  request.ReserveDecoded(2 * path.size());
  return router.Find(request);
}

TEST(Router, FindsByMethodAndPathAndNamesParams) {
  Router router = Table();
  HttpRequest request;
  auto match = Find(router, request, Method::kDelete, "/v1/tables/bronze/ev%2Fents");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->pattern, "/v1/tables/{a}/{b}");
  EXPECT_EQ(request.Param("a"), "bronze");
  EXPECT_EQ(request.Param("b"), "ev/ents");
  EXPECT_EQ(request.Param("namespace"), "");
}

TEST(Router, PrefersLiterals) {
  Router router = Table();
  HttpRequest request;
  auto match = Find(router, request, Method::kGet, "/v1/tables/bronze/all");
  EXPECT_EQ(match.route->pattern, "/v1/tables/{namespace}/all");
  EXPECT_EQ(request.params.size(), 1u);
}

TEST(Router, NeedsWholeSegments) {
  Router router = Table();
  HttpRequest request;
  for (auto path : {"/v1/events/", "/v1", "/v1/topics//events", "//", "/v1/tables/a", "/v1/tables/a/b/c"}) {
    EXPECT_EQ(Find(router, request, Method::kPost, path).allowed, 0u) << path;
  }
  EXPECT_EQ(Find(router, request, Method::kGet, "/" + std::string(100, '/')).allowed, 0u);
}

TEST(Router, HeadTakesItsOwnRouteBeforeGet) {
  Router router = Table();
  HttpRequest request;
  EXPECT_EQ(Find(router, request, Method::kHead, "/own").route->method, Method::kHead);
  EXPECT_EQ(Find(router, request, Method::kHead, "/").route->method, Method::kGet);
  EXPECT_EQ(Find(router, request, Method::kHead, "/v1/events").route, nullptr);
}

TEST(Router, TellsTheMethodsOfAPath) {
  Router router = Table();
  HttpRequest request;
  auto match = Find(router, request, Method::kPut, "/v1/tables/a/b");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(Router::AllowHeader(match.allowed), "GET, HEAD, DELETE, OPTIONS");
}

TEST(Router, NamesTheNearestPath) {
  Router router = Table();
  EXPECT_EQ(router.Nearest("/events"), "/v1/events");
  EXPECT_EQ(router.Nearest("/v1/events/"), "/v1/events");
  EXPECT_EQ(router.Nearest("/v1/topic/raw-events/events"), "/v1/topics/{topic}/events");
  EXPECT_EQ(router.Nearest("/something/else/entirely"), "");
  EXPECT_EQ(router.Nearest("/" + std::string(10'000, 'x')), "");
}

TEST(Router, RefusesBadTables) {
  EXPECT_FALSE(Router::Make({Make(Method::kGet, "v1")}).ok());
  EXPECT_FALSE(Router::Make({Make(Method::kGet, "/a/{x}"), Make(Method::kGet, "/a/{y}")}).ok());
  EXPECT_TRUE(Router::Make({Make(Method::kGet, "/a/{x}"), Make(Method::kPost, "/a/{y}"), Make(Method::kGet, "/a/b")}).ok());
  EXPECT_FALSE(Router::Make({Route{Method::kGet, "/a", nullptr, ""}}).ok());
}

TEST(Problems, AreDocumentsWithStableTypes) {
  auto response = ProblemResponse(Problem::kInvalidEvent, "event 3 has no \"id\"", "add it", {{"total", 1}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/problem+json");
  Json document = Json::Parse(response.body).value();
  EXPECT_EQ(document["type"].AsString(), "urn:sluice:problem:invalid-event");
  EXPECT_EQ(document["status"].AsInt(), 422);
  EXPECT_EQ(document["detail"].AsString(), "event 3 has no \"id\"");
  EXPECT_EQ(document["hint"].AsString(), "add it");
  EXPECT_EQ(document["total"].AsInt(), 1);
}

TEST(Problems, HaveUniqueSlugsAndNamedStatuses) {
  for (const ProblemKind& a : ProblemKinds()) {
    EXPECT_NE(ReasonPhrase(a.status), "Unknown") << a.slug;
    int same = 0;
    for (const ProblemKind& b : ProblemKinds()) same += a.slug == b.slug;
    EXPECT_EQ(same, 1) << a.slug;
  }
}

TEST(Problems, ThatPassTellWhenToRetry) {
  auto response = ProblemResponse(Error{ErrorCode::kUnavailable, "the log is behind", "wait"});
  EXPECT_EQ(response.status, 503);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
  EXPECT_TRUE(ProblemResponse(Error{ErrorCode::kInvalid, "wrong"}).headers.empty());
}

}  // namespace
}  // namespace sluice::front::http
