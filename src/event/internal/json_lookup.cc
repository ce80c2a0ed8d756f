// SPDX-License-Identifier: Apache-2.0
#include "event/internal/json_lookup.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "event/internal/json_text.h"

namespace sluice::event::internal {
namespace {

// A place in the text; at its end here() is NUL, and nothing moves any more.
class Scanner {
 public:
  Scanner(const char* begin, const char* end) : p_(begin), end_(end) { SkipSpaces(); }

  char here() const { return p_ < end_ ? *p_ : '\0'; }

  // Steps over one byte of structure and the spaces behind it.
  void Step() {
    if (p_ < end_) p_++;
    SkipSpaces();
  }
  // Steps over a string and returns its inside.
  std::string_view String() {
    const char* begin = ++p_;
    for (;;) {
      p_ = FindQuoteOrEscape(p_);
      if (here() != '\\') break;
      p_ = std::min(p_ + 2, end_);
    }
    std::string_view inside(begin, static_cast<size_t>(p_ - begin));
    Step();
    return inside;
  }
  // Steps over a value and returns its text.
  std::string_view Value() {
    const char* begin = p_;
    if (here() == '"') {
      const char* inside_end = String().end();
      return {begin, static_cast<size_t>(std::min(inside_end + 1, end_) - begin)};
    }
    if (here() != '{' && here() != '[') {
      while (p_ < end_ && !EndsScalar(*p_)) p_++;
      std::string_view text(begin, static_cast<size_t>(p_ - begin));
      SkipSpaces();
      return text;
    }
    for (int depth = 0; p_ < end_;) {
      char c = *p_;
      if (c == '"') {
        String();
        continue;
      }
      depth += (c == '{' || c == '[') - (c == '}' || c == ']');
      p_++;
      if (depth == 0) break;
    }
    std::string_view text(begin, static_cast<size_t>(p_ - begin));
    SkipSpaces();
    return text;
  }

 private:
  void SkipSpaces() {
    while (p_ < end_ && IsSpace(*p_)) p_++;
  }
  const char* FindQuoteOrEscape(const char* p) const {
    const __m256i quote = _mm256_set1_epi8('"'), escape = _mm256_set1_epi8('\\');
    for (; p < end_; p += 32) {
      __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
      auto hits = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, quote), _mm256_cmpeq_epi8(bytes, escape))));
      if (hits != 0) return std::min(p + std::countr_zero(hits), end_);
    }
    return end_;
  }

  const char* p_;
  const char* end_;
};

bool IsName(std::string_view raw, const std::string& token) {
  if (raw.find('\\') == std::string_view::npos) return raw == token;
  std::string name(raw.size(), '\0');
  int64_t length = Unescape(raw, name.data());
  return length >= 0 && std::string_view(name).substr(0, static_cast<size_t>(length)) == token;
}

// Goes to the member's value. False: no such member.
bool EnterMember(Scanner& scanner, const std::string& name) {
  for (scanner.Step(); scanner.here() == '"';) {
    std::string_view raw = scanner.String();
    scanner.Step();  // the colon
    if (IsName(raw, name)) return true;
    scanner.Value();
    if (scanner.here() == ',') scanner.Step();
  }
  return false;
}

// An index without leading zeros; false: not one.
bool ParseIndex(const std::string& token, size_t& index) {
  constexpr size_t kDigitsMax = 9;
  if (token.empty() || token.size() > kDigitsMax || (token[0] == '0' && token.size() > 1)) return false;
  index = 0;
  for (char c : token) {
    if (!IsDigit(c)) return false;
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  return true;
}

bool EnterElement(Scanner& scanner, const std::string& token) {
  size_t index = 0;
  if (!ParseIndex(token, index)) return false;
  scanner.Step();
  for (; scanner.here() != ']' && scanner.here() != '\0'; index--) {
    if (index == 0) return true;
    scanner.Value();
    if (scanner.here() == ',') scanner.Step();
  }
  return false;
}

}  // namespace

std::string_view FindValue(std::string_view json, std::span<const std::string> tokens) {
  Scanner scanner(json.data(), json.data() + json.size());
  for (const std::string& token : tokens) {
    bool found = scanner.here() == '{' ? EnterMember(scanner, token) : scanner.here() == '[' && EnterElement(scanner, token);
    if (!found) return {};
  }
  std::string_view value = scanner.Value();
  return value.empty() ? std::string_view() : value;
}

}  // namespace sluice::event::internal
