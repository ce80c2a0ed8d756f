// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The table of routes: one entry per method and path. Everything that is said about an endpoint derives from its entry: who
// answers, 404 with the nearest path, 405 with Allow, OPTIONS, HEAD, the label of its metrics, and its part of an API document.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "front/http/http_message.h"
#include "front/http/limits.h"

namespace sluice::front::http {

class Responder;

// Runs on the loop's thread and must not block: long work goes to a named thread, with the responder.
using Handler = std::function<void(HttpRequest&, Responder)>;

// What a client may send with a route and what it gets back: for the API document, nothing is checked against it.
struct RouteContract {
  struct Option {
    std::string_view name, in, description;  // `in`: "query" or "header"
  };
  struct Body {
    std::string_view content_type;
    std::string example;  // taken as it stands; empty: none
  };
  std::vector<Option> options;
  std::vector<Body> bodies;               // empty: a body means nothing
  std::vector<std::string_view> answers;  // content types of a success
};

struct Route {
  Method method;
  std::string pattern;  // "/v1/topics/{topic}/events": segments are literal or one {param}
  Handler handler;
  std::string description;  // one sentence, for documents
  uint64_t body_bytes_max = kBodyBytesMax;
  RouteContract contract = {};
};

// Immutable; thread-safe.
class Router {
 public:
  // kInvalid: a malformed pattern, or two routes of one method that match the same paths.
  static Result<Router> Make(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  // null: no route for this method and path
    uint32_t allowed = 0;          // methods of the path as bits 1 << Method, HEAD and OPTIONS included; 0: no such path
  };
  // Fills request.params for the route it finds. HEAD finds the GET route when there is no HEAD route.
  Match Find(HttpRequest& request) const;
  // The pattern most like `path`; empty when none is near.
  std::string_view Nearest(std::string_view path) const;
  // "GET, HEAD, OPTIONS"
  static std::string AllowHeader(uint32_t allowed);
  // Of all paths together: for OPTIONS *.
  uint32_t all_methods() const { return all_methods_; }
  std::span<const Route> routes() const { return routes_; }

 private:
  bool Fits(size_t route, std::span<const std::string_view> segments) const;
  void SetParams(size_t route, std::span<const std::string_view> segments, HttpRequest& request) const;
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> segments_;  // of routes_[i].pattern
  uint32_t all_methods_ = 0;
};

// What a request gets for which no route was found: 404, 405, or the answer to OPTIONS.
HttpResponse AnswerWithoutRoute(const Router& router, const Router::Match& match, const HttpRequest& request);

}  // namespace sluice::front::http
