// SPDX-License-Identifier: Apache-2.0
#include "front/http/openapi.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::front::http {
namespace {

constexpr std::string_view kMethods[] = {"get", "head", "post", "put", "patch", "delete", "options"};

Json SchemaOf(std::string_view type) { return Json(Json::Object{{"type", type}}); }

Json Parameter(std::string_view name, std::string_view in, std::string_view description) {
  Json out;
  out.Set("name", name);
  out.Set("in", in);
  if (!description.empty()) out.Set("description", description);
  if (in == "path") out.Set("required", true);
  out.Set("schema", SchemaOf("string"));
  return out;
}

Json ParametersOf(const Route& route) {
  Json out = Json::MakeArray();
  for (size_t at = route.pattern.find('{'); at != std::string::npos; at = route.pattern.find('{', at + 1))
    out.Append(Parameter(route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1), "path", {}));
  for (auto& option : route.contract.options) out.Append(Parameter(option.name, option.in, option.description));
  return out;
}

// JSON is shown as what it is, anything else as text.
Json ExampleOf(const RouteContract::Body& body) {
  if (body.content_type.ends_with("json") && !body.content_type.ends_with("ndjson"))
    if (auto json = Json::Parse(body.example); json.ok()) return *json;
  return Json(body.example);
}

Json BodyOf(const RouteContract& contract) {
  Json content = Json::MakeObject();
  for (auto& body : contract.bodies) {
    Json media = Json::MakeObject();
    if (!body.example.empty()) media.Set("example", ExampleOf(body));
    content.Set(body.content_type, std::move(media));
  }
  return Json(Json::Object{{"required", true}, {"content", std::move(content)}});
}

Json AnswersOf(const RouteContract& contract) {
  Json content = Json::MakeObject();
  for (auto type : contract.answers) content.Set(type, Json::MakeObject());
  Json success(Json::Object{{"description", "Success."}, {"content", std::move(content)}});
  Json problem(Json::Object{{"$ref", "#/components/responses/Problem"}});
  return Json(Json::Object{{"200", std::move(success)}, {"default", std::move(problem)}});
}

Json OperationOf(const Route& route) {
  Json out;
  out.Set("summary", route.description);
  if (auto parameters = ParametersOf(route); !parameters.AsArray().empty()) out.Set("parameters", std::move(parameters));
  if (!route.contract.bodies.empty()) out.Set("requestBody", BodyOf(route.contract));
  out.Set("responses", AnswersOf(route.contract));
  return out;
}

// RFC 9457, with the members that problems.h adds.
Json ProblemComponents() {
  Json members = Json::MakeObject();
  for (auto name : {"type", "title", "detail", "hint"}) members.Set(name, SchemaOf("string"));
  members.Set("status", SchemaOf("integer"));
  Json schema(Json::Object{{"type", "object"}, {"properties", std::move(members)}});
  Json content(Json::Object{
      {"application/problem+json", Json(Json::Object{{"schema", Json(Json::Object{{"$ref", "#/components/schemas/Problem"}})}})}});
  Json response(Json::Object{{"description", "What is wrong and what to do about it (RFC 9457)."}, {"content", std::move(content)}});
  return Json(Json::Object{{"schemas", Json(Json::Object{{"Problem", std::move(schema)}})},
                           {"responses", Json(Json::Object{{"Problem", std::move(response)}})}});
}

}  // namespace

Json MakeOpenApi(const std::vector<Route>& routes, const Json& version) {
  Json paths = Json::MakeObject();
  for (auto& route : routes) {
    Json path = paths[route.pattern];
    path.Set(kMethods[static_cast<size_t>(route.method)], OperationOf(route));
    paths.Set(route.pattern, std::move(path));
  }
  Json out;
  out.Set("openapi", "3.1.0");
  out.Set("info", Json(Json::Object{{"title", "Sluice"}, {"version", version["version"].AsString()}}));
  out.Set("paths", std::move(paths));
  out.Set("components", ProblemComponents());
  return out;
}

}  // namespace sluice::front::http
