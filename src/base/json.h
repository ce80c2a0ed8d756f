// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// JSON documents of our own making and size: metadata files, answers, configuration. (Events are parsed in event/, with
// simdjson.) Parsing and number formatting are nlohmann-json's, behind this value type so that its header stays in one file.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace sluice {

// A JSON value. Objects keep the order of their members; a name occurs once.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;  // null
  Json(std::nullptr_t) {}  // NOLINT: implicit, so that literals read like JSON
  Json(bool v) : value_(v) {}  // NOLINT
  Json(int v) : value_(static_cast<int64_t>(v)) {}  // NOLINT
  Json(unsigned v) : value_(static_cast<int64_t>(v)) {}  // NOLINT
  Json(int64_t v) : value_(v) {}  // NOLINT
  Json(uint64_t v) : value_(static_cast<int64_t>(v)) {}  // NOLINT: values beyond INT64_MAX do not occur in our documents
  Json(double v) : value_(v) {}  // NOLINT
  Json(const char* v) : value_(std::string(v)) {}  // NOLINT
  Json(std::string_view v) : value_(std::string(v)) {}  // NOLINT
  Json(std::string v) : value_(std::move(v)) {}  // NOLINT
  Json(Array v) : value_(std::move(v)) {}  // NOLINT
  Json(Object v) : value_(std::move(v)) {}  // NOLINT
  static Json MakeArray() { return Json(Array{}); }
  static Json MakeObject() { return Json(Object{}); }

  // kInvalid with the byte position when `text` is not one JSON document, is deeper than 128 levels or repeats a name.
  static Result<Json> Parse(std::string_view text);
  // `indent` < 0: one line without spaces; otherwise spaces per level.
  std::string Dump(int indent = -1) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value if it has that type, else `otherwise`. For required members of documents that others wrote use Require*.
  bool AsBool(bool otherwise = false) const;
  int64_t AsInt(int64_t otherwise = 0) const;
  double AsDouble(double otherwise = 0) const;
  const std::string& AsString() const;  // empty when it is no string
  const Array& AsArray() const;         // empty when it is no array
  const Object& AsObject() const;       // empty when it is no object

  // The member, or null (a shared one) when this is no object or has none of that name.
  const Json& operator[](std::string_view name) const;
  const Json* Find(std::string_view name) const;
  // Sets or replaces a member. REQUIRES: this is null (then it becomes an object) or an object.
  Json& Set(std::string_view name, Json value);
  void Erase(std::string_view name);
  // REQUIRES: null (then it becomes an array) or an array.
  Json& Append(Json value);

  // The member with that type, or kInvalid that names it.
  Result<int64_t> RequireInt(std::string_view name) const;
  Result<std::string> RequireString(std::string_view name) const;
  Result<const Json*> RequireArray(std::string_view name) const;
  Result<const Json*> RequireObject(std::string_view name) const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& to, std::string_view text);

}  // namespace sluice
