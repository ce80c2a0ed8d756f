// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// UUIDs as text: "f79c3e09-677c-4bbd-a479-3f349cb785e7". RFC 9562.

#include <array>
#include <cstdint>
#include <string>

namespace sluice::base {

// Version 4 from 16 random bytes (six bits of them are overwritten).
std::string FormatUuidV4(std::array<uint8_t, 16> random);

}  // namespace sluice::base
