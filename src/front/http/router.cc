// SPDX-License-Identifier: Apache-2.0
#include "front/http/router.h"

#include <algorithm>
#include <array>
#include <optional>

#include "front/http/problems.h"

namespace sluice::front::http {
namespace {

constexpr size_t kSegmentsMax = 16;
constexpr size_t kNearestPathBytesMax = 200;  // longer paths are not worth the comparison

constexpr uint32_t Bit(Method method) { return 1u << static_cast<unsigned>(method); }

bool IsParam(std::string_view segment) { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

// "/a/b" -> "a", "b"; "/" -> "".
template <class Sink>
void SplitPath(std::string_view path, Sink sink) {
  while (!path.empty()) {
    path.remove_prefix(1);
    auto slash = std::min(path.find('/'), path.size());
    sink(path.substr(0, slash));
    path.remove_prefix(slash);
  }
}

bool SamePaths(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const std::string& x, const std::string& y) { return x == y || (IsParam(x) && IsParam(y)); });
}

// Edits between two short texts (Levenshtein).
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// The pattern with its parameters taken from `path`, so that they cost nothing.
std::string WithParamsOf(const std::vector<std::string>& pattern, std::string_view path) {
  std::vector<std::string_view> parts;
  SplitPath(path, [&](std::string_view segment) { parts.push_back(segment); });
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    out += '/';
    bool taken = IsParam(pattern[i]) && pattern.size() == parts.size();
    out += taken ? parts[i] : std::string_view(pattern[i]);
  }
  return out;
}

}  // namespace

Result<Router> Router::Make(std::vector<Route> routes) {
  Router router;
  // Literals before parameters: "/v1/tables/all" wins over "/v1/tables/{name}".
  std::stable_sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
    return std::count(a.pattern.begin(), a.pattern.end(), '{') < std::count(b.pattern.begin(), b.pattern.end(), '{');
  });
  for (const Route& route : routes) {
    std::vector<std::string> segments;
    if (!route.pattern.starts_with('/')) return Error{ErrorCode::kInvalid, "the pattern \"" + route.pattern + "\" does not start with '/'"};
    SplitPath(route.pattern, [&](std::string_view segment) { segments.emplace_back(segment); });
    if (segments.size() > kSegmentsMax) return Error{ErrorCode::kInvalid, "the pattern \"" + route.pattern + "\" has too many segments"};
    if (!route.handler || route.method == Method::kOther) {
      return Error{ErrorCode::kInvalid, "the route \"" + route.pattern + "\" has no handler or no method"};
    }
    for (size_t i = 0; i < router.segments_.size(); ++i) {
      if (routes[i].method == route.method && SamePaths(router.segments_[i], segments)) {
        return Error{ErrorCode::kInvalid, "two routes for " + std::string(MethodName(route.method)) + " \"" + route.pattern + "\""};
      }
    }
    router.segments_.push_back(std::move(segments));
    router.all_methods_ |= Bit(route.method);
  }
  if (router.all_methods_ & Bit(Method::kGet)) router.all_methods_ |= Bit(Method::kHead);
  router.all_methods_ |= Bit(Method::kOptions);
  router.routes_ = std::move(routes);
  return router;
}

bool Router::Fits(size_t route, std::span<const std::string_view> segments) const {
  const auto& pattern = segments_[route];
  if (pattern.size() != segments.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsParam(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) return false;
  }
  return true;
}

void Router::SetParams(size_t route, std::span<const std::string_view> segments, HttpRequest& request) const {
  const auto& pattern = segments_[route];
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsParam(pattern[i])) request.params.push_back({std::string_view(pattern[i]).substr(1, pattern[i].size() - 2), segments[i]});
  }
}

Router::Match Router::Find(HttpRequest& request) const {
  std::array<std::string_view, kSegmentsMax> storage;
  size_t count = 0;
  SplitPath(request.raw_path, [&](std::string_view segment) {
    if (count < kSegmentsMax) storage[count] = request.Decode(segment, false).value_or(segment);
    ++count;
  });
  if (count > kSegmentsMax) return {};
  auto segments = std::span<const std::string_view>(storage).first(count);
  Match match;
  std::optional<size_t> exact, as_get;
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (!Fits(i, segments)) continue;
    match.allowed |= Bit(routes_[i].method);
    if (routes_[i].method == request.method && !exact) exact = i;
    if (routes_[i].method == Method::kGet && request.method == Method::kHead && !as_get) as_get = i;
  }
  if (match.allowed & Bit(Method::kGet)) match.allowed |= Bit(Method::kHead);
  if (match.allowed != 0) match.allowed |= Bit(Method::kOptions);
  if (auto found = exact ? exact : as_get) {
    match.route = &routes_[*found];
    SetParams(*found, segments, request);
  }
  return match;
}

std::string_view Router::Nearest(std::string_view path) const {
  if (path.size() > kNearestPathBytesMax) return {};
  std::string slashed(path);  // "/v1/tables/bronze.events": a name as SQL writes it
  std::replace(slashed.begin(), slashed.end(), '.', '/');
  std::string_view nearest;
  size_t distance_min = SIZE_MAX;
  for (size_t i = 0; i < routes_.size(); ++i) {
    size_t distance = std::min(Distance(path, WithParamsOf(segments_[i], path)), Distance(path, WithParamsOf(segments_[i], slashed)));
    // Half of the text wrong is no typing error.
    if (distance >= distance_min || 2 * distance > routes_[i].pattern.size()) continue;
    distance_min = distance;
    nearest = routes_[i].pattern;
  }
  return nearest;
}

std::string Router::AllowHeader(uint32_t allowed) {
  std::string out;
  for (size_t i = 0; i < kMethodCount; ++i) {
    if ((allowed & 1u << i) == 0) continue;
    if (!out.empty()) out += ", ";
    out += MethodName(static_cast<Method>(i));
  }
  return out;
}

HttpResponse AnswerWithoutRoute(const Router& router, const Router::Match& match, const HttpRequest& request) {
  bool asterisk = request.raw_path == "*";
  if (request.method == Method::kOptions && (asterisk || match.allowed != 0)) {
    return HttpResponse{.status = 204, .headers = {{"Allow", Router::AllowHeader(asterisk ? router.all_methods() : match.allowed)}}};
  }
  std::string path(request.path);
  if (match.allowed == 0) {
    auto nearest = router.Nearest(request.path);
    std::string hint = nearest.empty() ? "GET / shows what there is" : "did you mean " + std::string(nearest) + "?";
    return ProblemResponse(Problem::kNotFound, "there is no path \"" + path + "\"", hint);
  }
  std::string allow = Router::AllowHeader(match.allowed);
  auto response = ProblemResponse(Problem::kMethodNotAllowed, "\"" + path + "\" does not take " + std::string(MethodName(request.method)), "it takes " + allow);
  response.headers.emplace_back("Allow", allow);
  return response;
}

}  // namespace sluice::front::http
