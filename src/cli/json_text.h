// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Places inside the text of a JSON document, so that records go on byte for byte as they came.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace sluice::cli {

// A JSON pointer (RFC 6901). kInvalid: it does not begin with '/', or has a '~' that is neither ~0 nor ~1.
class JsonPointer {
 public:
  static Result<JsonPointer> Parse(std::string_view text);
  // The value there; null when there is none.
  const Json* Find(const Json& document) const;
  // The text of the value there, without spaces around it; nothing when there is none. REQUIRES: `document` is valid JSON.
  std::optional<std::string_view> FindText(std::string_view document) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::string> tokens_;
};

// The elements of an array, as texts, one after the other. Tolerates what is no JSON inside of elements: whoever parses them says so.
class ArrayElements {
 public:
  // kInvalid: `text` does not begin with '['.
  static Result<ArrayElements> Open(std::string_view text);
  // The next element; nothing at the end. kInvalid: the array is cut, or something else than ',' or ']' stands behind an element.
  Result<std::optional<std::string_view>> Next();

 private:
  explicit ArrayElements(std::string_view text) : text_(text) {}
  std::string_view text_;
  size_t at_ = 1;
  bool first_ = true;
  bool done_ = false;
};

std::string_view TrimJsonSpace(std::string_view text);

}  // namespace sluice::cli
