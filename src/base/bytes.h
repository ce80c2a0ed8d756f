// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Fixed-width integers in byte strings. Little-endian unless the name says Big.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace sluice::base {

static_assert(std::endian::native == std::endian::little, "formats are written with plain copies");

// REQUIRES: sizeof(T) writable bytes at `to`.
template <class T>
  requires std::is_integral_v<T>
inline void PutLittle(char* to, T value) { std::memcpy(to, &value, sizeof value); }
template <class T>
  requires std::is_integral_v<T>
inline T GetLittle(const char* from) { T value; std::memcpy(&value, from, sizeof value); return value; }

template <class T>
  requires std::is_integral_v<T>
inline T SwapBytes(T value) {
  if constexpr (sizeof(T) == 1) return value;
  else if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  else if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  else return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
}
template <class T>
  requires std::is_integral_v<T>
inline void PutBig(char* to, T value) { PutLittle(to, SwapBytes(value)); }
template <class T>
  requires std::is_integral_v<T>
inline T GetBig(const char* from) { return SwapBytes(GetLittle<T>(from)); }

template <class T>
  requires std::is_integral_v<T>
inline void AppendLittle(std::string& to, T value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }
template <class T>
  requires std::is_integral_v<T>
inline void AppendBig(std::string& to, T value) { AppendLittle(to, SwapBytes(value)); }

// Reads fixed-width values and counted strings from untrusted bytes: after a short read every getter answers zero or
// empty, and ok() is false from then on. Check ok() before the values are used.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
    requires std::is_integral_v<T>
  T Get() {
    if (bytes_.size() - at_ < sizeof(T)) { ok_ = false; at_ = bytes_.size(); return T{}; }
    T value = GetLittle<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  // The next `n` bytes, pointing into the input.
  std::string_view GetBytes(size_t n) {
    if (bytes_.size() - at_ < n) { ok_ = false; at_ = bytes_.size(); return {}; }
    auto view = bytes_.substr(at_, n);
    at_ += n;
    return view;
  }
  bool ok() const { return ok_; }
  size_t position() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

// Lower-case hexadecimal, two characters a byte.
std::string ToHex(std::string_view bytes);
// False: odd length or a character that is no hexadecimal digit; then `out` is unchanged.
bool FromHex(std::string_view text, std::string& out);

// CRC-32C (Castagnoli), as iSCSI, Kafka and ext4 compute it. Chain with `seed` = the CRC of what came before.
uint32_t Crc32c(const void* data, size_t size, uint32_t seed = 0);
inline uint32_t Crc32c(std::string_view bytes, uint32_t seed = 0) { return Crc32c(bytes.data(), bytes.size(), seed); }

}  // namespace sluice::base
