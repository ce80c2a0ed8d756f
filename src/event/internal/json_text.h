// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The small parts of JSON text: escapes, numbers, characters. RFC 8259.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::event::internal {

inline bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
inline bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsSpace(c); }
inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Whether a number stands at `p` and is followed by a space, a comma or a closing bracket.
// REQUIRES: 34 readable bytes at `p`, and some byte that is no digit follows.
bool IsNumber(const char* p);

// Whether all escapes in `raw` (the inside of a string) are known and surrogates come in pairs.
bool HasValidEscapes(std::string_view raw);

// Writes `raw` (the inside of a string) unescaped to `to` and returns how many bytes; at most raw.size().
// -1: a bad escape, or a surrogate without its other half (no UTF-8 can say it).
int64_t Unescape(std::string_view raw, char* to);

// Appends `text` as a JSON string, quotes included, escaping as little as possible. REQUIRES: `text` is UTF-8.
void AppendQuoted(std::string_view text, std::string& out);

// What a look at every byte tells; so that the usual text skips the slow checks.
struct ByteClasses {
  bool escapes;  // a backslash
  bool special;  // a byte from 0x7f up: a character may be one that CloudEvents forbids
};
ByteClasses ClassifyBytes(std::string_view text);

// Whether `text`, which is UTF-8, holds a character that no CloudEvents string may hold: control characters
// (U+0000-001F, U+007F-009F) and noncharacters. CloudEvents 1.0.2, "Type System".
bool HasForbiddenCharacter(std::string_view text);

// Why StructuralIndex::Build refused `text`, and at which byte.
struct TextError {
  size_t position;
  const char* reason;
};
TextError FindTextError(std::string_view text);

}  // namespace sluice::event::internal
