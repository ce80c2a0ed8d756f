// SPDX-License-Identifier: Apache-2.0
#include "event/internal/json_cursor.h"

#include <array>
#include <cstring>

namespace sluice::event::internal {

bool JsonCursor::SkipName() {
  if (here() != '"' || text[at[1]] != ':') return Fail("expected a name in quotes and a colon");
  if (classes.escapes && !HasValidEscapes({text + *at + 1, at[1] - *at - 1})) return Fail("a name holds a bad escape");
  at += 2;
  return true;
}

bool JsonCursor::SkipScalar() {
  const char* p = text + *at;
  switch (*p) {
    case '"':
      if (classes.escapes && !HasValidEscapes({p + 1, at[1] - *at - 1})) return Fail("a string holds a bad escape");
      break;
    case 't':
      if (std::memcmp(p, "true", 4) != 0 || !EndsScalar(p[4])) return Fail("expected a value");
      break;
    case 'f':
      if (std::memcmp(p, "false", 5) != 0 || !EndsScalar(p[5])) return Fail("expected a value");
      break;
    case 'n':
      if (std::memcmp(p, "null", 4) != 0 || !EndsScalar(p[4])) return Fail("expected a value");
      break;
    default:
      if (!IsNumber(p)) return Fail(*p == '-' || IsDigit(*p) ? "not a number that JSON knows" : "expected a value");
  }
  at++;
  return true;
}

bool JsonCursor::SkipValue(uint32_t depth) {
  const uint32_t* const first = at;
  const uint32_t outer = depth;
  uint64_t objects = 0;  // bit d - 1: the container at depth d is an object
  for (;;) {
    char c = here();
    if (c == '{' || c == '[') {
      if (++depth > depth_max) return Fail("nested too deep");
      uint64_t bit = uint64_t{1} << (depth - 1);
      objects = c == '{' ? objects | bit : objects & ~bit;
      at++;
      if (here() != (c == '{' ? '}' : ']')) {
        if (c == '{' && !SkipName()) return false;
        continue;
      }
      at++;
      depth--;
    } else if (!SkipScalar()) {
      return false;
    }
    for (;;) {
      if (depth == outer) return static_cast<size_t>(at - first) / 4 <= keys_max || CheckKeys(first);
      bool object = (objects >> (depth - 1) & 1) != 0;
      c = here();
      if (c == ',') {
        at++;
        if (object && !SkipName()) return false;
        break;
      }
      if (c != (object ? '}' : ']')) return Fail(object ? "expected a comma or a closing brace" : "expected a comma or a closing bracket");
      at++;
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
