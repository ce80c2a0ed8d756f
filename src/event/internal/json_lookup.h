// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Finds one value in a JSON text without parsing what it steps over.

#include <span>
#include <string>
#include <string_view>

namespace sluice::event::internal {

// The text of the value at `tokens` (a JSON pointer, taken apart and unescaped; none: the whole text), spaces around it left out. A null
// view: there is none. Of names that occur twice the first counts. In a text that is not JSON it finds something or nothing, inside the text.
// REQUIRES: 32 readable bytes behind `json` (vector loads).
std::string_view FindValue(std::string_view json, std::span<const std::string> tokens);

}  // namespace sluice::event::internal
