// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

constexpr size_t kDepthMax = 128;
const Json kNull;

// Builds a Json from nlohmann's parser events; refuses depth and repeated names, which the library accepts.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Put(Json()); }
  bool boolean(bool v) override { return Put(Json(v)); }
  bool number_integer(number_integer_t v) override { return Put(Json(static_cast<int64_t>(v))); }
  bool number_unsigned(number_unsigned_t v) override {
    return v <= static_cast<uint64_t>(INT64_MAX) ? Put(Json(static_cast<int64_t>(v))) : Put(Json(static_cast<double>(v)));
  }
  bool number_float(number_float_t v, const string_t&) override { return Put(Json(static_cast<double>(v))); }
  bool string(string_t& v) override { return Put(Json(std::move(v))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Json::MakeObject()); }
  bool start_array(std::size_t) override { return Open(Json::MakeArray()); }
  bool key(string_t& v) override {
    if (open_.back().value.Find(v) != nullptr) return Fail("the name \"" + v + "\" occurs twice");
    open_.back().name = std::move(v);
    return true;
  }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    std::string what = e.what();
    if (auto at = what.find("syntax error"); at != std::string::npos) what = what.substr(at);
    return Fail("at byte " + std::to_string(position) + ": " + what);
  }

  Json root;
  std::string failure;

 private:
  struct Level { Json value; std::string name; };
  bool Fail(std::string why) { if (failure.empty()) failure = std::move(why); return false; }
  bool Open(Json v) {
    if (open_.size() >= kDepthMax) return Fail("deeper than " + std::to_string(kDepthMax) + " levels");
    open_.push_back({std::move(v), {}});
    return true;
  }
  bool Close() {
    Json done = std::move(open_.back().value);
    open_.pop_back();
    return Put(std::move(done));
  }
  bool Put(Json v) {
    if (open_.empty()) root = std::move(v);
    else if (open_.back().value.is_array()) open_.back().value.Append(std::move(v));
    else open_.back().value.Set(open_.back().name, std::move(v));
    return true;
  }
  std::vector<Level> open_;
};

void DumpTo(const Json& v, std::string& out, int indent, int level) {
  auto line = [&](int l) { if (indent >= 0) { out += '\n'; out.append(static_cast<size_t>(indent * l), ' '); } };
  if (v.is_null()) out += "null";
  else if (v.is_bool()) out += v.AsBool() ? "true" : "false";
  else if (v.is_int()) out += std::to_string(v.AsInt());
  else if (v.is_number()) out += std::isfinite(v.AsDouble()) ? nlohmann::json(v.AsDouble()).dump() : "null";
  else if (v.is_string()) AppendJsonString(out, v.AsString());
  else if (v.is_array()) {
    out += '[';
    for (size_t i = 0; i < v.AsArray().size(); i++) {
      if (i > 0) out += ',';
      line(level + 1);
      DumpTo(v.AsArray()[i], out, indent, level + 1);
    }
    if (!v.AsArray().empty()) line(level);
    out += ']';
  } else {
    out += '{';
    bool first = true;
    for (auto& [name, value] : v.AsObject()) {
      if (!first) out += ',';
      first = false;
      line(level + 1);
      AppendJsonString(out, name);
      out += indent >= 0 ? ": " : ":";
      DumpTo(value, out, indent, level + 1);
    }
    if (!first) line(level);
    out += '}';
  }
}

Error Missing(std::string_view name, const char* type, const Json* found) {
  return Error{ErrorCode::kInvalid, "\"" + std::string(name) + "\" " + (found == nullptr ? "is missing" : "is no " + std::string(type)), {}};
}

}  // namespace

Result<Json> Json::Parse(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder) || !builder.failure.empty())
    return Error{ErrorCode::kInvalid, "not JSON: " + builder.failure, {}};
  return std::move(builder.root);
}

std::string Json::Dump(int indent) const {
  std::string out;
  DumpTo(*this, out, indent, 0);
  return out;
}

bool Json::AsBool(bool otherwise) const { auto* v = std::get_if<bool>(&value_); return v != nullptr ? *v : otherwise; }
int64_t Json::AsInt(int64_t otherwise) const { auto* v = std::get_if<int64_t>(&value_); return v != nullptr ? *v : otherwise; }
double Json::AsDouble(double otherwise) const {
  if (auto* v = std::get_if<double>(&value_)) return *v;
  if (auto* v = std::get_if<int64_t>(&value_)) return static_cast<double>(*v);
  return otherwise;
}
const std::string& Json::AsString() const { static const std::string kEmpty; auto* v = std::get_if<std::string>(&value_); return v != nullptr ? *v : kEmpty; }
const Json::Array& Json::AsArray() const { static const Array kEmpty; auto* v = std::get_if<Array>(&value_); return v != nullptr ? *v : kEmpty; }
const Json::Object& Json::AsObject() const { static const Object kEmpty; auto* v = std::get_if<Object>(&value_); return v != nullptr ? *v : kEmpty; }

const Json* Json::Find(std::string_view name) const {
  for (auto& m : AsObject())
    if (m.first == name) return &m.second;
  return nullptr;
}
const Json& Json::operator[](std::string_view name) const { auto* v = Find(name); return v != nullptr ? *v : kNull; }

Json& Json::Set(std::string_view name, Json value) {
  if (is_null()) value_ = Object{};
  CHECK(is_object(), "Set on a JSON value that is no object");
  auto& members = std::get<Object>(value_);
  for (auto& m : members)
    if (m.first == name) { m.second = std::move(value); return m.second; }
  return members.emplace_back(std::string(name), std::move(value)).second;
}
void Json::Erase(std::string_view name) {
  if (auto* members = std::get_if<Object>(&value_)) std::erase_if(*members, [&](auto& m) { return m.first == name; });
}
Json& Json::Append(Json value) {
  if (is_null()) value_ = Array{};
  CHECK(is_array(), "Append on a JSON value that is no array");
  return std::get<Array>(value_).emplace_back(std::move(value));
}

Result<int64_t> Json::RequireInt(std::string_view name) const {
  auto* v = Find(name);
  if (v == nullptr || !v->is_int()) return Missing(name, "integer", v);
  return v->AsInt();
}
Result<std::string> Json::RequireString(std::string_view name) const {
  auto* v = Find(name);
  if (v == nullptr || !v->is_string()) return Missing(name, "string", v);
  return v->AsString();
}
Result<const Json*> Json::RequireArray(std::string_view name) const {
  auto* v = Find(name);
  if (v == nullptr || !v->is_array()) return Missing(name, "array", v);
  return v;
}
Result<const Json*> Json::RequireObject(std::string_view name) const {
  auto* v = Find(name);
  if (v == nullptr || !v->is_object()) return Missing(name, "object", v);
  return v;
}

void AppendJsonString(std::string& to, std::string_view text) {
  bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; });
  if (plain) {
    to += '"';
    to += text;
    to += '"';
  } else {
    to += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

}  // namespace sluice
