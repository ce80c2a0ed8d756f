// SPDX-License-Identifier: Apache-2.0
#include "io/random.h"

#include <array>

#include "base/bytes.h"
#include "base/uuid.h"

namespace sluice::io {

std::string Random::NextUuid() {
  std::array<uint8_t, 16> bytes;
  base::PutLittle(reinterpret_cast<char*>(bytes.data()), Next64());
  base::PutLittle(reinterpret_cast<char*>(bytes.data()) + 8, Next64());
  return base::FormatUuidV4(bytes);
}

}  // namespace sluice::io
