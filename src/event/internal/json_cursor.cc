// SPDX-License-Identifier: Apache-2.0
#include "event/internal/json_cursor.h"

#include <array>
#include <cstring>
#include <utility>

namespace sluice::event::internal {
namespace {

// Why the name at `i` is none; null: it is one, with its colon.
inline const char* NameError(const char* text, const uint32_t* i, bool escapes) {
  if (text[*i] != '"' || text[i[1]] != ':') [[unlikely]] return "expected a name in quotes and a colon";
  if (escapes && !HasValidEscapes({text + *i + 1, i[1] - *i - 1})) [[unlikely]] return "a name holds a bad escape";
  return nullptr;
}

// Why the scalar at `i` is none; null: it is one.
inline const char* ScalarError(const char* text, const uint32_t* i, bool escapes) {
  const char* p = text + *i;
  bool good = false;
  switch (*p) {
    case '"':
      if (escapes && !HasValidEscapes({p + 1, i[1] - *i - 1})) [[unlikely]] return "a string holds a bad escape";
      return nullptr;
    case 't': good = std::memcmp(p, "true", 4) == 0 && EndsScalar(p[4]); break;
    case 'f': good = std::memcmp(p, "false", 5) == 0 && EndsScalar(p[5]); break;
    case 'n': good = std::memcmp(p, "null", 4) == 0 && EndsScalar(p[4]); break;
    default:
      if (!IsNumber(p)) [[unlikely]] return *p == '-' || IsDigit(*p) ? "not a number that JSON knows" : "expected a value";
      return nullptr;
  }
  return good ? nullptr : "expected a value";
}

}  // namespace

// `i` is a copy of `at`: in a register, and the members are written once.
bool JsonCursor::SkipValue(uint32_t depth) {
  const uint32_t* i = at;
  const char* const bytes = text;
  const bool escapes = classes.escapes;
  const uint32_t outer = depth;
  uint64_t objects = 0;  // bit d - 1: the container at depth d is an object
  for (;;) {
    char c = bytes[*i];
    if (c == '{' || c == '[') {
      if (++depth > depth_max) return FailAt(*i, "nested too deep");
      uint64_t bit = uint64_t{1} << (depth - 1);
      objects = c == '{' ? objects | bit : objects & ~bit;
      i++;
      if (bytes[*i] != (c == '{' ? '}' : ']')) {
        if (c == '[') continue;
        if (const char* why = NameError(bytes, i, escapes)) return FailAt(*i, why);
        i += 2;
        continue;
      }
      depth--;
    } else if (const char* why = ScalarError(bytes, i, escapes)) {
      return FailAt(*i, why);
    }
    i++;
    for (;;) {
      if (depth == outer) {
        const uint32_t* first = std::exchange(at, i);
        return static_cast<size_t>(i - first) / 4 <= keys_max || CheckKeys(first);
      }
      bool object = (objects >> (depth - 1) & 1) != 0;
      c = bytes[*i];
      if (c != ',' && c != (object ? '}' : ']')) return FailAt(*i, object ? "expected a comma or a closing brace" : "expected a comma or a closing bracket");
      i++;
      if (c == ',') {
        if (!object) break;
        if (const char* why = NameError(bytes, i, escapes)) return FailAt(*i, why);
        i += 2;
        break;
      }
      depth--;
    }
  }
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
