// SPDX-License-Identifier: Apache-2.0
#include "event/internal/base64.h"

#include <array>

namespace sluice::event::internal {
namespace {

constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> MakeValues() {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint8_t, 256> values{};
  for (auto& v : values) v = kNone;
  for (uint8_t i = 0; i < 64; i++) values[static_cast<unsigned char>(kAlphabet[i])] = i;
  return values;
}
constexpr auto kValues = MakeValues();

}  // namespace

int64_t DecodeBase64(std::string_view text, char* to) {
  if (text.size() % 4 != 0) return -1;
  if (text.empty()) return 0;
  size_t padding = text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
  char* const start = to;
  for (size_t at = 0; at < text.size(); at += 4) {
    size_t padded = at + 4 == text.size() ? padding : 0;
    uint32_t bits = 0, wrong = 0;
    for (size_t i = 0; i < 4; i++) {
      uint8_t value = i < 4 - padded ? kValues[static_cast<unsigned char>(text[at + i])] : uint8_t{0};
      wrong |= static_cast<uint32_t>(value == kNone);
      bits = bits << 6 | (value & 63u);
    }
    if (wrong != 0 || (bits & ((1u << (8 * padded)) - 1)) != 0) return -1;
    for (size_t i = 0; i < 3 - padded; i++) *to++ = static_cast<char>(bits >> (16 - 8 * i));
  }
  return to - start;
}

}  // namespace sluice::event::internal
