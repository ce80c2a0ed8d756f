// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <isa-l/crc.h>

#include "base/check.h"

namespace sluice::base {

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char c : bytes) {
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

bool FromHex(std::string_view text, std::string& out) {
  auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  if (text.size() % 2 != 0) return false;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
  }
  out = std::move(bytes);
  return true;
}

uint32_t Crc32c(const void* data, size_t size, uint32_t seed) {
  // isa-l takes int lengths, an unconst pointer, and leaves both inversions to the caller.
  constexpr size_t kStep = size_t{1} << 30;
  auto* from = static_cast<unsigned char*>(const_cast<void*>(data));
  uint32_t crc = ~seed;
  while (size > 0) {
    size_t n = size < kStep ? size : kStep;
    crc = crc32_iscsi(from, static_cast<int>(n), crc);
    from += n;
    size -= n;
  }
  return ~crc;
}

}  // namespace sluice::base
