// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace sluice::event::internal {

// The attribute value that a ce-* header carries: quotes and backslash escapes undone, then one round of percent-decoding. False: `%`
// without two hexadecimal digits, or a result that is not UTF-8. CloudEvents HTTP binding, 3.1.3.2.
bool DecodeHeaderValue(std::string_view raw, std::string& value);

}  // namespace sluice::event::internal
