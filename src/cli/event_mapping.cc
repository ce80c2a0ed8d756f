// SPDX-License-Identifier: Apache-2.0
#include "cli/event_mapping.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::cli {
namespace {

constexpr std::string_view kRequired[] = {"id", "source", "type"};
constexpr const char* kMapExample = "for example --map id=/id,source=https://example.com,type=com.example.{/kind},time=/created_at";

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// Entries are apart by commas that a "name=" follows: constants may hold commas, too.
std::vector<std::string_view> SplitEntries(std::string_view text) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] != ',') continue;
    const auto rest = text.substr(at + 1);
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos || !IsName(rest.substr(0, equals))) continue;
    out.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  out.push_back(text.substr(begin));
  return out;
}

std::string TextOf(const Json& value) { return value.is_string() ? value.AsString() : value.Dump(); }

constexpr double kSecondsBelow = 1e11, kMillisBelow = 1e14, kMicrosBelow = 1e17;

Timestamp EpochTime(const Json& number) {
  const double size = std::fabs(number.AsDouble(static_cast<double>(number.AsInt())));
  if (number.is_int()) {
    const int64_t n = number.AsInt();
    if (size < kSecondsBelow) return {n * kMicrosPerSecond};
    if (size < kMillisBelow) return {n * kMicrosPerMilli};
    return {size < kMicrosBelow ? n : base::FloorDiv(n, 1'000)};
  }
  const double n = number.AsDouble();
  if (size < kSecondsBelow) return {std::llround(n * kMicrosPerSecond)};
  if (size < kMillisBelow) return {std::llround(n * kMicrosPerMilli)};
  return {std::llround(size < kMicrosBelow ? n : n / 1'000)};
}

bool IsDigits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

Result<std::string> EventTimeText(const Json& value) {
  Timestamp parsed;
  if (value.is_string() && base::ParseRfc3339(value.AsString(), parsed)) return value.AsString();
  if (value.is_number()) return base::FormatRfc3339(EpochTime(value));
  if (value.is_string() && IsDigits(value.AsString()))
    if (auto number = Json::Parse(value.AsString()); number.ok() && number->is_number()) return base::FormatRfc3339(EpochTime(*number));
  return Error{ErrorCode::kInvalid, "time is " + value.Dump(),
               "it must be RFC 3339 with an offset, as in 2026-01-15T00:00:00Z, or a number since 1970"};
}

Result<std::vector<EventMapping::Part>> EventMapping::ParseTemplate(std::string_view value) {
  std::vector<Part> parts;
  auto add_constant = [&](std::string_view text) {
    if (!text.empty()) parts.push_back({std::string(text), false, {}});
  };
  for (size_t open = value.find('{'); open != std::string_view::npos; open = value.find('{')) {
    const auto close = value.find('}', open);
    if (close == std::string_view::npos)
      return Error{ErrorCode::kInvalid, "a '{' without its '}'", "a template is text with {/pointer} in it"};
    add_constant(value.substr(0, open));
    ASSIGN_OR_RETURN(auto pointer, JsonPointer::Parse(value.substr(open + 1, close - open - 1)));
    parts.push_back({{}, true, std::move(pointer)});
    value.remove_prefix(close + 1);
  }
  add_constant(value);
  return parts;
}

Result<EventMapping::Entry> EventMapping::ParseEntry(std::string_view name, std::string_view value) {
  Entry entry{std::string(name), {}};
  if (value.starts_with('=')) {
    entry.parts.push_back({std::string(value.substr(1)), false, {}});
  } else if (value.starts_with('/')) {
    ASSIGN_OR_RETURN(auto pointer, JsonPointer::Parse(value));
    entry.parts.push_back({{}, true, std::move(pointer)});
  } else {
    ASSIGN_OR_RETURN(entry.parts, ParseTemplate(value));
  }
  if (entry.parts.empty()) return Error{ErrorCode::kInvalid, "\"" + entry.name + "=\" maps to nothing", kMapExample};
  return entry;
}

Result<EventMapping> EventMapping::Parse(std::string_view text) {
  EventMapping out;
  auto has = [&](std::string_view name) {
    return std::any_of(out.entries_.begin(), out.entries_.end(), [&](auto& e) { return e.name == name; });
  };
  bool data_seen = false;
  for (auto item : SplitEntries(text)) {
    const auto equals = item.find('=');
    const auto name = item.substr(0, equals);
    if (equals == std::string_view::npos || !IsName(name))
      return Error{ErrorCode::kInvalid, "--map \"" + std::string(item) + "\" is not name=value with a name of a-z and 0-9", kMapExample};
    if (name == "specversion") return Error{ErrorCode::kInvalid, "--map cannot set specversion: it is always 1.0", {}};
    auto entry = ParseEntry(name, item.substr(equals + 1));
    if (!entry.ok()) return entry.error().While("reading --map " + std::string(item));
    if (has(name) || (name == "data" && data_seen)) return Error{ErrorCode::kInvalid, "--map names " + std::string(name) + " twice", {}};
    if (name != "data") {
      out.entries_.push_back(std::move(*entry));
      continue;
    }
    if (entry->parts.size() != 1 || !entry->parts[0].is_pointer)
      return Error{ErrorCode::kInvalid, "--map data must be a pointer, as in data=/properties", {}};
    out.data_ = std::move(entry->parts[0].pointer);
    data_seen = true;
  }
  for (auto required : kRequired)
    if (!has(required))
      return Error{ErrorCode::kInvalid, "--map has no " + std::string(required) + "=, and every event needs one", kMapExample};
  return out;
}

// The text of all parts; false when a pointer finds nothing.
Result<bool> EventMapping::AppendText(const Entry& entry, const Json& record, std::string& text) {
  for (auto& part : entry.parts) {
    if (!part.is_pointer) {
      text += part.constant;
      continue;
    }
    const Json* value = part.pointer.Find(record);
    if (value == nullptr || value->is_null()) return false;
    if (value->is_object() || value->is_array())
      return Error{ErrorCode::kInvalid, entry.name + ": " + part.pointer.text() + " is no text, number or truth value", {}};
    text += TextOf(*value);
  }
  return true;
}

Result<bool> EventMapping::AppendAttribute(const Entry& entry, const Json& record, std::string& out) {
  std::string text;
  const bool is_time = entry.name == "time";
  if (is_time && entry.parts.size() == 1 && entry.parts[0].is_pointer) {
    const Json* value = entry.parts[0].pointer.Find(record);
    if (value == nullptr || value->is_null()) return false;
    ASSIGN_OR_RETURN(text, EventTimeText(*value));
  } else {
    ASSIGN_OR_RETURN(const bool found, AppendText(entry, record, text));
    if (!found) return false;
    if (is_time) { ASSIGN_OR_RETURN(text, EventTimeText(Json(text))); }
  }
  out += ",\"" + entry.name + "\":";
  AppendJsonString(out, text);
  return true;
}

Result<void> EventMapping::AppendData(std::string_view record, std::string& out) const {
  const auto data = data_.FindText(record);
  if (!data) return {};
  out += ",\"data\":";
  const size_t begin = out.size();
  out += *data;
  // Raw newlines stand between the tokens of JSON, never inside of a string: the event becomes one line.
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return {};
}

Result<std::string> EventMapping::Apply(std::string_view record) const {
  record = TrimJsonSpace(record);
  auto parsed = Json::Parse(record);
  if (!parsed.ok()) return Error{ErrorCode::kInvalid, parsed.error().message, {}};
  if (!parsed->is_object()) return Error{ErrorCode::kInvalid, "it is JSON, but no object", {}};
  std::string out = "{\"specversion\":\"1.0\"";
  bool has_type = false;
  for (auto& entry : entries_) {
    has_type = has_type || entry.name == "datacontenttype";
    ASSIGN_OR_RETURN(const bool found, AppendAttribute(entry, *parsed, out));
    if (found || std::find(std::begin(kRequired), std::end(kRequired), entry.name) == std::end(kRequired)) continue;
    std::string where;
    for (auto& part : entry.parts) where += part.is_pointer ? " " + part.pointer.text() : "";
    return Error{ErrorCode::kInvalid, "it has no" + where + ", which --map needs for " + entry.name, {}};
  }
  if (!has_type) out += ",\"datacontenttype\":\"application/json\"";
  RETURN_IF_ERROR(AppendData(record, out));
  out += '}';
  return out;
}

Result<void> CheckIsCloudEvent(std::string_view record) {
  auto parsed = Json::Parse(record);
  if (!parsed.ok())
    return Error{ErrorCode::kInvalid, parsed.error().message,
                 "one event a line; for one document over many lines name its array with --records /pointer"};
  for (std::string_view name : {"specversion", "id", "source", "type"})
    if (parsed->Find(name) == nullptr)
      return Error{ErrorCode::kInvalid, "it is no CloudEvent: it has no \"" + std::string(name) + "\"",
                   std::string("say how to make one, ") + kMapExample};
  return {};
}

Timestamp EventTimeOf(std::string_view event) {
  Timestamp out{std::numeric_limits<int64_t>::max()};
  if (auto parsed = Json::Parse(event); parsed.ok()) base::ParseRfc3339((*parsed)["time"].AsString(), out);
  return out;
}

}  // namespace sluice::cli
