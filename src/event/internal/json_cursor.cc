// SPDX-License-Identifier: Apache-2.0
#include "event/internal/json_cursor.h"

#include <array>
#include <cstring>

namespace sluice::event::internal {

[[gnu::always_inline]] inline const uint32_t* JsonCursor::NumberOrWord(const uint32_t* i) {
  const char* p = text + *i;
  bool good = false;
  switch (*p) {
    case 't': good = std::memcmp(p, "true", 4) == 0 && EndsScalar(p[4]); break;
    case 'f': good = std::memcmp(p, "false", 5) == 0 && EndsScalar(p[5]); break;
    case 'n': good = std::memcmp(p, "null", 4) == 0 && EndsScalar(p[4]); break;
    default:
      if (!IsNumber(p)) [[unlikely]] return Stop(i, *p == '-' || IsDigit(*p) ? "not a number that JSON knows" : "expected a value");
      return i + 1;
  }
  return good ? i + 1 : Stop(i, "expected a value");
}

[[gnu::always_inline]] inline const uint32_t* JsonCursor::Value(const uint32_t* i, uint32_t depth) {
  char c = text[*i];
  if (c == '"') [[likely]] {
    if (classes.escapes && !HasValidEscapes({text + *i + 1, i[1] - *i - 1})) [[unlikely]] return Stop(i, "a string holds a bad escape");
    return i + 1;
  }
  return c == '{' ? Object(i, depth + 1) : c == '[' ? Array(i, depth + 1) : NumberOrWord(i);
}

const uint32_t* JsonCursor::Object(const uint32_t* i, uint32_t depth) {
  if (depth > depth_max) return Stop(i, "nested too deep");
  if (text[*++i] == '}') return i + 1;
  for (;; i++) {
    if (text[*i] != '"' || text[i[1]] != ':') [[unlikely]] return Stop(i, "expected a name in quotes and a colon");
    if (classes.escapes && !HasValidEscapes({text + *i + 1, i[1] - *i - 1})) [[unlikely]] return Stop(i, "a name holds a bad escape");
    i = Value(i + 2, depth);
    if (i == nullptr) return nullptr;
    if (text[*i] == ',') continue;
    return text[*i] == '}' ? i + 1 : Stop(i, "expected a comma or a closing brace");
  }
}

const uint32_t* JsonCursor::Array(const uint32_t* i, uint32_t depth) {
  if (depth > depth_max) return Stop(i, "nested too deep");
  if (text[*++i] == ']') return i + 1;
  for (;; i++) {
    i = Value(i, depth);
    if (i == nullptr) return nullptr;
    if (text[*i] == ',') continue;
    return text[*i] == ']' ? i + 1 : Stop(i, "expected a comma or a closing bracket");
  }
}

bool JsonCursor::SkipValue(uint32_t depth) {
  const uint32_t* first = at;
  const uint32_t* behind = Value(first, depth);
  if (behind == nullptr) return false;
  at = behind;
  return static_cast<size_t>(behind - first) / 4 <= keys_max || CheckKeys(first);
}

// A name takes four structurals, so only large values come here. REQUIRES: what lies between `first` and `at` is valid.
bool JsonCursor::CheckKeys(const uint32_t* first) {
  std::array<uint32_t, kJsonDepthMax + 1> keys{};
  size_t depth = 0;
  for (const uint32_t* i = first; i < at; i++) {
    char c = text[*i];
    if (c == '{' || c == '[') keys[++depth] = 0;
    else if (c == '}' || c == ']') depth--;
    else if (c == ':' && ++keys[depth] > keys_max) return FailAt(*i, "an object has too many names");
  }
  return true;
}

}  // namespace sluice::event::internal
