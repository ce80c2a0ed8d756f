// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <string_view>

#include "base/bytes.h"

namespace sluice::base {

std::string FormatUuidV4(std::array<uint8_t, 16> random) {
  random[6] = static_cast<uint8_t>((random[6] & 0x0f) | 0x40);
  random[8] = static_cast<uint8_t>((random[8] & 0x3f) | 0x80);
  auto hex = ToHex(std::string_view(reinterpret_cast<const char*>(random.data()), random.size()));
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace sluice::base
