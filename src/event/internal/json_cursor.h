// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A place in an indexed JSON text, and the step over one value, which validates it.

#include <cstdint>
#include <string_view>

#include "event/internal/json_text.h"
#include "event/internal/structural_index.h"
#include "event/limits.h"

namespace sluice::event::internal {

struct JsonCursor {
  const char* text = nullptr;
  const uint32_t* at = nullptr;  // in the structural index of `text`
  const uint32_t* end = nullptr;
  ByteClasses classes{true, true};  // of the text
  uint32_t depth_max = kJsonDepthMax, keys_max = kJsonKeysMax;
  // After a step failed: where and why.
  size_t error_position = 0;
  const char* error = "";

  // Steps over the value at `at`. `depth`: of the containers it stands in. False: it is not JSON, too deep, or has too many names.
  // REQUIRES: the text's last structural closes a container that the value stands in, or that is the value: see StructuralIndex.
  bool SkipValue(uint32_t depth);

  char here() const { return text[*at]; }
  bool FailAt(size_t position, const char* why) {
    error_position = position;
    error = why;
    return false;
  }
  // The byte behind what ends before `from` when spaces are left out.
  uint32_t TrimSpaces(uint32_t from) const {
    while (IsSpace(text[from - 1])) from--;
    return from;
  }

 private:
  // These take a place in the index and return the one behind what they stepped over; null: they failed. So it stays in a register, and
  // the place in the code says in which container it is. They call each other, depth_max deep at most.
  const uint32_t* Value(const uint32_t* i, uint32_t depth);
  const uint32_t* Object(const uint32_t* i, uint32_t depth);
  const uint32_t* Array(const uint32_t* i, uint32_t depth);
  const uint32_t* NumberOrWord(const uint32_t* i);
  const uint32_t* Stop(const uint32_t* i, const char* why) {
    FailAt(*i, why);
    return nullptr;
  }
  bool CheckKeys(const uint32_t* first);
};

}  // namespace sluice::event::internal
