// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::event::internal {

// Decodes standard base64 with padding (RFC 4648, 4) to `to` and returns how many bytes: at most 3 for each 4 characters.
// -1: a character outside the alphabet, missing padding, or bits behind the end that are not zero.
int64_t DecodeBase64(std::string_view text, char* to);

}  // namespace sluice::event::internal
