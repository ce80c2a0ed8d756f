// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_split.h"

#include <algorithm>

namespace sluice::cli {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool IsWordPart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// The statement at [begin, end), without the spaces around it; those behind it may belong to a quote that is open.
SqlStatement StatementAt(std::string_view text, size_t begin, size_t end, bool is_open = false) {
  while (begin < end && IsSpace(text[begin])) begin++;
  while (begin < end && !is_open && IsSpace(text[end - 1])) end--;
  return {std::string(text.substr(begin, end - begin)),
          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n') + 1};
}

// Each of these returns the position behind what begins at `at`; npos: it is not closed.

size_t EndOfQuoted(std::string_view text, size_t at) {
  const size_t close = text.find(text[at], at + 1);  // a doubled quote closes one and opens the next: the same places
  return close == std::string_view::npos ? close : close + 1;
}

size_t EndOfBlockComment(std::string_view text, size_t at) {
  int depth = 0;
  for (; at + 1 < text.size(); at++) {
    if (text[at] == '/' && text[at + 1] == '*') depth++, at++;
    else if (text[at] == '*' && text[at + 1] == '/' && (at++, --depth == 0)) return at + 1;
  }
  return std::string_view::npos;
}

// The length of "$tag$" at `at`; 0: there is none.
size_t DollarTagLength(std::string_view text, size_t at) {
  if (at > 0 && IsWordPart(text[at - 1])) return 0;
  size_t end = at + 1;
  while (end < text.size() && IsWordPart(text[end])) end++;
  const bool is_parameter = end > at + 1 && text[at + 1] >= '0' && text[at + 1] <= '9';
  return end < text.size() && text[end] == '$' && !is_parameter ? end + 1 - at : 0;
}

size_t EndOfDollarQuoted(std::string_view text, size_t at, size_t tag_length) {
  const size_t close = text.find(text.substr(at, tag_length), at + tag_length);
  return close == std::string_view::npos ? close : close + tag_length;
}

struct Token {
  size_t end;
  bool is_blank;  // a space or a comment
};

Token TokenAt(std::string_view text, size_t at) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  if (c == '\'' || c == '"') return {EndOfQuoted(text, at), false};
  if (c == '-' && next == '-') return {std::min(text.find('\n', at), text.size()), true};
  if (c == '/' && next == '*') return {EndOfBlockComment(text, at), true};
  if (c == '$')
    if (const size_t tag = DollarTagLength(text, at); tag > 0) return {EndOfDollarQuoted(text, at, tag), false};
  return {at + 1, IsSpace(c)};
}

}  // namespace

SplitSql SplitStatements(std::string_view text) {
  SplitSql out;
  size_t begin = 0;
  bool blank = true;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == ';') {
      if (!blank) out.statements.push_back(StatementAt(text, begin, at));
      begin = ++at;
      blank = true;
      continue;
    }
    const Token token = TokenAt(text, at);
    out.rest_is_open = token.end == std::string_view::npos;
    if (!token.is_blank || out.rest_is_open) blank = false;
    if (out.rest_is_open) break;
    at = token.end;
  }
  out.rest = StatementAt(text, begin, text.size(), out.rest_is_open);
  out.rest_is_blank = blank;
  return out;
}

}  // namespace sluice::cli
