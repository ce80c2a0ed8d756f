// SPDX-License-Identifier: Apache-2.0
//
// Truncated bounds. Text is cut between code points, never inside one: readers in other languages refuse half a character.

#include "iceberg/value.h"

namespace sluice::iceberg {
namespace {

constexpr char32_t kCodePointMax = 0x10FFFF;
constexpr char32_t kSurrogateFirst = 0xD800;
constexpr char32_t kSurrogateEnd = 0xE000;

// Reads the code point at `at` and moves behind it. False: not valid UTF-8 (overlong, surrogate, too large, cut).
bool NextCodePoint(std::string_view text, size_t& at, char32_t& code) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t lead = byte(at);
  size_t more = lead < 0x80 ? 0 : lead >> 5 == 0x6 ? 1 : lead >> 4 == 0xE ? 2 : lead >> 3 == 0x1E ? 3 : SIZE_MAX;
  if (more == SIZE_MAX || text.size() - at <= more) return false;
  code = more == 0 ? lead : lead & (0x3F >> more);
  for (size_t i = 1; i <= more; i++) {
    if ((byte(at + i) & 0xC0) != 0x80) return false;
    code = code << 6 | (byte(at + i) & 0x3F);
  }
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (code < kLeast[more] || code > kCodePointMax || (code >= kSurrogateFirst && code < kSurrogateEnd)) return false;
  at += more + 1;
  return true;
}

void AppendCodePoint(std::string& to, char32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | code >> 18);
    to += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// The first `n` code points of a text, and where each begins.
struct Prefix {
  std::vector<size_t> begins;
  std::vector<char32_t> codes;
  size_t bytes = 0;
};

std::optional<Prefix> PrefixOf(std::string_view text, size_t n) {
  Prefix prefix;
  while (prefix.bytes < text.size() && prefix.codes.size() < n) {
    prefix.begins.push_back(prefix.bytes);
    char32_t code = 0;
    if (!NextCodePoint(text, prefix.bytes, code)) return std::nullopt;
    prefix.codes.push_back(code);
  }
  return prefix;
}

}  // namespace

std::optional<std::string> TruncateStringLower(std::string_view text, size_t code_points_max) {
  auto prefix = PrefixOf(text, code_points_max);
  if (!prefix) return std::nullopt;
  return std::string(text.substr(0, prefix->bytes));
}

std::optional<std::string> TruncateStringUpper(std::string_view text, size_t code_points_max) {
  auto prefix = PrefixOf(text, code_points_max);
  if (!prefix) return std::nullopt;
  if (prefix->bytes == text.size()) return std::string(text);
  for (size_t i = prefix->codes.size(); i-- > 0;) {
    char32_t next = prefix->codes[i] + 1;
    if (next == kSurrogateFirst) next = kSurrogateEnd;
    if (next > kCodePointMax) continue;
    std::string bound(text.substr(0, prefix->begins[i]));
    AppendCodePoint(bound, next);
    return bound;
  }
  return std::nullopt;
}

std::string TruncateBinaryLower(std::string_view bytes, size_t bytes_max) { return std::string(bytes.substr(0, bytes_max)); }

std::optional<std::string> TruncateBinaryUpper(std::string_view bytes, size_t bytes_max) {
  if (bytes.size() <= bytes_max) return std::string(bytes);
  std::string bound(bytes.substr(0, bytes_max));
  while (!bound.empty() && static_cast<uint8_t>(bound.back()) == 0xFF) bound.pop_back();
  if (bound.empty()) return std::nullopt;
  bound.back() = static_cast<char>(bound.back() + 1);
  return bound;
}

}  // namespace sluice::iceberg
