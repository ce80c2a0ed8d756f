// SPDX-License-Identifier: Apache-2.0
#include "cli/json_text.h"

#include <charconv>

namespace sluice::cli {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void SkipSpace(std::string_view text, size_t& at) {
  while (at < text.size() && IsSpace(text[at])) at++;
}

// `at` stands on the opening quote; moves behind the closing one, or to the end when there is none.
void SkipString(std::string_view text, size_t& at) {
  for (at++; at < text.size() && text[at] != '"'; at++)
    if (text[at] == '\\') at++;
  at = std::min(at + 1, text.size());
}

// Moves behind the value at `at`. False: the text ends first.
bool SkipValue(std::string_view text, size_t& at) {
  int depth = 0;
  const size_t begin = at;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      SkipString(text, at);
      if (depth == 0) return text[at - 1] == '"';
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') {
      if (depth == 0) return at > begin;
      if (--depth == 0) return at++, true;
    }
    if (depth == 0 && (c == ',' || IsSpace(c))) return at > begin;
    at++;
  }
  return depth == 0 && at > begin;
}

std::optional<size_t> IndexOf(const std::string& token) {
  size_t index = 0;
  auto parsed = std::from_chars(token.data(), token.data() + token.size(), index);
  if (parsed.ec != std::errc() || parsed.ptr != token.data() + token.size() || (token.size() > 1 && token[0] == '0')) return std::nullopt;
  return index;
}

std::optional<std::string_view> MemberText(std::string_view object, const std::string& name) {
  for (size_t at = 1; at < object.size();) {
    SkipSpace(object, at);
    if (at >= object.size() || object[at] != '"') return std::nullopt;
    const size_t name_at = at;
    SkipString(object, at);
    auto key = Json::Parse(object.substr(name_at, at - name_at));
    SkipSpace(object, at);
    if (!key.ok() || at >= object.size() || object[at] != ':') return std::nullopt;
    SkipSpace(object, ++at);
    const size_t value_at = at;
    if (!SkipValue(object, at)) return std::nullopt;
    if (key->AsString() == name) return object.substr(value_at, at - value_at);
    SkipSpace(object, at);
    if (at < object.size() && object[at] == ',') at++;
  }
  return std::nullopt;
}

std::optional<std::string_view> ElementText(std::string_view array, size_t index) {
  auto elements = ArrayElements::Open(array);
  for (size_t i = 0; elements.ok(); i++) {
    auto element = elements->Next();
    if (!element.ok() || !*element) return std::nullopt;
    if (i == index) return **element;
  }
  return std::nullopt;
}

}  // namespace

std::string_view TrimJsonSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

Result<JsonPointer> JsonPointer::Parse(std::string_view text) {
  JsonPointer out;
  out.text_ = text;
  if (!text.empty() && text[0] != '/')
    return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no JSON pointer",
                 "a pointer begins with '/', as in /properties/time"};
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '/') {
      out.tokens_.emplace_back();
    } else if (text[at] != '~') {
      out.tokens_.back() += text[at];
    } else if (at + 1 < text.size() && (text[at + 1] == '0' || text[at + 1] == '1')) {
      out.tokens_.back() += text[++at] == '0' ? '~' : '/';
    } else {
      return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no JSON pointer", "'~' is written ~0, and '/' inside a name ~1"};
    }
  }
  return out;
}

const Json* JsonPointer::Find(const Json& document) const {
  const Json* at = &document;
  for (auto& token : tokens_) {
    if (at->is_array()) {
      const auto index = IndexOf(token);
      if (!index || *index >= at->AsArray().size()) return nullptr;
      at = &at->AsArray()[*index];
    } else if ((at = at->Find(token)) == nullptr) {
      return nullptr;
    }
  }
  return at;
}

std::optional<std::string_view> JsonPointer::FindText(std::string_view document) const {
  std::optional<std::string_view> at = TrimJsonSpace(document);
  for (auto& token : tokens_) {
    if (at->starts_with('[')) {
      const auto index = IndexOf(token);
      at = index ? ElementText(*at, *index) : std::nullopt;
    } else {
      at = at->starts_with('{') ? MemberText(*at, token) : std::nullopt;
    }
    if (!at) return std::nullopt;
  }
  return at;
}

Result<ArrayElements> ArrayElements::Open(std::string_view text) {
  text = TrimJsonSpace(text);
  if (!text.starts_with('[')) return Error{ErrorCode::kInvalid, "it is no JSON array", {}};
  return ArrayElements(text);
}

Result<std::optional<std::string_view>> ArrayElements::Next() {
  const Error cut{ErrorCode::kInvalid, "the JSON array is cut or damaged at byte " + std::to_string(at_), {}};
  if (done_) return std::optional<std::string_view>();
  SkipSpace(text_, at_);
  if (at_ >= text_.size()) return cut;
  if (text_[at_] == ']' && first_) return done_ = true, std::optional<std::string_view>();
  first_ = false;
  const size_t begin = at_;
  if (!SkipValue(text_, at_)) return cut;
  const auto element = text_.substr(begin, at_ - begin);
  SkipSpace(text_, at_);
  if (at_ >= text_.size() || (text_[at_] != ',' && text_[at_] != ']')) return cut;
  done_ = text_[at_++] == ']';
  return std::optional<std::string_view>(element);
}

}  // namespace sluice::cli
