// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// errno -> Error, in one place.

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::io {

// "write \"/data/journal/1.seg\": no space left on device". `subject` (a path, an address) may be empty.
Error SystemError(std::string_view call, std::string_view subject, int error_number);

// What the caller of a file or socket does about `error_number`: see ErrorCode and io/file_system.h.
ErrorCode SystemErrorCode(int error_number);

// "no space left on device"
std::string SystemErrorText(int error_number);

}  // namespace sluice::io
