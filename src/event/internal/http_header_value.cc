// SPDX-License-Identifier: Apache-2.0
#include "event/internal/http_header_value.h"

#include "base/bytes.h"
#include "event/internal/structural_index.h"

namespace sluice::event::internal {
namespace {

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// RFC 7230 quoted-string; other text as it is.
std::string Unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 1 < text.size()) i++;
    out += text[i];
  }
  return out;
}

}  // namespace

bool DecodeHeaderValue(std::string_view raw, std::string& value) {
  std::string text = Unquote(TrimBlanks(raw)), byte;
  value.clear();
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '%') {
      value += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !base::FromHex(std::string_view(text).substr(i + 1, 2), byte)) return false;
    value += byte;
    i += 2;
  }
  return IsUtf8(value);
}

}  // namespace sluice::event::internal
