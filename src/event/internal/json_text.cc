// SPDX-License-Identifier: Apache-2.0
#include "event/internal/json_text.h"

#include <immintrin.h>

#include <bit>
#include <cstring>

namespace sluice::event::internal {
namespace {

constexpr char kEscapes[] = "\"\\/bfnrt", kMeanings[] = "\"\\/\b\f\n\r\t";

// Four hexadecimal digits, or -1.
int32_t Hex4(const char* p) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    int c = p[i], lower = c | 0x20;
    int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The code point of the \u escape at `p` (at the `u`), and how many bytes it takes from there. -1: none.
int32_t EscapedCodePoint(const char* p, const char* end, size_t& length) {
  if (end - p < 5) return -1;
  int32_t high = Hex4(p + 1);
  length = 5;
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || end - p < 11 || p[5] != '\\' || p[6] != 'u') return -1;
  int32_t low = Hex4(p + 7);
  length = 11;
  return low < 0xDC00 || low > 0xDFFF ? -1 : 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

char* PutUtf8(char* to, int32_t c) {
  auto put = [&to](int32_t byte) { *to++ = static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 63)), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  }
  return to;
}

// The code point at `at` and its length; -1: not UTF-8.
int32_t DecodeUtf8(std::string_view text, size_t at, size_t& length) {
  auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  unsigned first = byte(0);
  length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
  if (length == 0) return -1;
  if (length == 1) return static_cast<int32_t>(first);
  auto c = static_cast<int32_t>(first & (0x7fu >> length));
  for (size_t i = 1; i < length; i++) {
    if (byte(i) >> 6 != 2) return -1;
    c = c << 6 | static_cast<int32_t>(byte(i) & 63);
  }
  constexpr int32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return c < kSmallest[length] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? -1 : c;
}

// A number of any length, with or without exponent.
bool IsAnyNumber(const char* p) {
  if (*p == '-') p++;
  if (*p == '0') {
    p++;
  } else {
    if (!IsDigit(*p)) return false;
    while (IsDigit(*p)) p++;
  }
  if (*p == '.') {
    if (!IsDigit(*++p)) return false;
    while (IsDigit(*p)) p++;
  }
  if ((*p | 0x20) == 'e') {
    p++;
    if (*p == '+' || *p == '-') p++;
    if (!IsDigit(*p)) return false;
    while (IsDigit(*p)) p++;
  }
  return EndsScalar(*p);
}

}  // namespace

// All digits at once: a loop over them costs a wrong guess of the processor wherever numbers have different lengths.
bool IsNumber(const char* p) {
  constexpr int kLooked = 32;
  const char* begin = p;
  p += *p == '-';
  const __m256i values = _mm256_sub_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_set1_epi8('0'));
  const uint64_t digits = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(values, _mm256_min_epu8(values, _mm256_set1_epi8(9)))));
  int length = std::countr_one(digits);
  if (length == 0 || (*p == '0' && length > 1)) return false;
  if (p[length] == '.') {
    int decimals = std::countr_one(digits >> length >> 1);
    length = decimals > 0 ? length + 1 + decimals : kLooked;
  }
  if (length >= kLooked || (p[length] | 0x20) == 'e') [[unlikely]] return IsAnyNumber(begin);
  return EndsScalar(p[length]);
}

bool HasValidEscapes(std::string_view raw) {
  const char *p = raw.data(), *end = p + raw.size();
  while (p < end && (p = static_cast<const char*>(std::memchr(p, '\\', static_cast<size_t>(end - p)))) != nullptr) {
    if (++p == end) return false;
    size_t length = 1;
    if (*p == 'u' ? EscapedCodePoint(p, end, length) < 0 : std::memchr(kEscapes, *p, 8) == nullptr) return false;
    p += length;
  }
  return true;
}

int64_t Unescape(std::string_view raw, char* to) {
  const char *p = raw.data(), *end = p + raw.size();
  char* const start = to;
  while (p < end) {
    const auto* escape = static_cast<const char*>(std::memchr(p, '\\', static_cast<size_t>(end - p)));
    auto plain = static_cast<size_t>((escape != nullptr ? escape : end) - p);
    std::memcpy(to, p, plain);
    to += plain;
    p += plain;
    if (escape == nullptr) break;
    if (++p == end) return -1;
    if (*p == 'u') {
      size_t length = 0;
      int32_t c = EscapedCodePoint(p, end, length);
      if (c < 0) return -1;
      to = PutUtf8(to, c);
      p += length;
    } else {
      const auto* known = static_cast<const char*>(std::memchr(kEscapes, *p++, 8));
      if (known == nullptr) return -1;
      *to++ = kMeanings[known - kEscapes];
    }
  }
  return to - start;
}

void AppendQuoted(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

ByteClasses ClassifyBytes(std::string_view text) {
  const __m256i backslash = _mm256_set1_epi8('\\'), one = _mm256_set1_epi8(1);
  __m256i escapes = _mm256_setzero_si256(), special = escapes;
  auto add = [&](__m256i bytes) {
    escapes = _mm256_or_si256(escapes, _mm256_cmpeq_epi8(bytes, backslash));
    special = _mm256_or_si256(special, _mm256_add_epi8(bytes, one));  // top bit: 0x7f or more; 0xff, which would be lost, is in no UTF-8
  };
  size_t at = 0;
  for (; at + 32 <= text.size(); at += 32) add(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + at)));
  alignas(32) char rest[32] = {};
  std::memcpy(rest, text.data() + at, text.size() - at);
  add(_mm256_load_si256(reinterpret_cast<const __m256i*>(rest)));
  return {_mm256_movemask_epi8(escapes) != 0, _mm256_movemask_epi8(special) != 0};
}

bool HasForbiddenCharacter(std::string_view text) {
  for (size_t at = 0, length = 1; at < text.size(); at += length) {
    int32_t c = DecodeUtf8(text, at, length);
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE) return true;
  }
  return false;
}

TextError FindTextError(std::string_view text) {
  bool inside = false, blank = true;
  size_t opened = 0;
  for (size_t at = 0, length = 1; at < text.size(); at += length) {
    int32_t c = DecodeUtf8(text, at, length);
    if (c < 0) return {at, "not UTF-8"};
    blank = blank && c < 0x80 && IsSpace(static_cast<char>(c));
    if (inside && c < 0x20) return {at, "a control character in a string must be escaped"};
    if (inside && c == '\\' && at + 1 < text.size()) {
      if (static_cast<unsigned char>(text[at + 1]) >= 0x20 && static_cast<unsigned char>(text[at + 1]) < 0x80) length = 2;
    } else if (c == '"') {
      inside = !inside;
      opened = at;
    }
  }
  if (blank) return {0, "nothing but spaces"};
  return {opened, "a string does not end"};
}

}  // namespace sluice::event::internal
