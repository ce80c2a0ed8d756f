// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign_avro.h"

#include <zlib.h>
#include <zstd.h>

#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "ingest/gzip.h"

namespace sluice::sim {

namespace {

void PutUnsigned(uint64_t rest, std::string& out) {
  for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(rest | 0x80);
  out += static_cast<char>(rest);
}

}  // namespace

void PutLong(int64_t value, std::string& out) {
  PutUnsigned(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63), out);
}
void PutBytes(std::string_view bytes, std::string& out) {
  PutLong(static_cast<int64_t>(bytes.size()), out);
  out += bytes;
}

namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kSyncBytes = 16, kPlainBytesMax = 1 << 20;

int64_t TakeLong(std::string_view& in) {
  uint64_t out = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    out |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return static_cast<int64_t>(out >> 1) ^ -static_cast<int64_t>(out & 1);
  }
}
std::string TakeBytes(std::string_view& in, size_t size) {
  std::string out(in.substr(0, size));
  in.remove_prefix(size);
  return out;
}
std::string TakeBytes(std::string_view& in) {
  const auto size = static_cast<size_t>(TakeLong(in));
  return TakeBytes(in, size);
}

// ---- codecs ---------------------------------------------------------------------------------------------------------------

// Without a header, as Avro has it.
constexpr int kRawDeflate = -15;

std::string Inflate(std::string_view packed) {
  std::string out(kPlainBytesMax, '\0');
  z_stream stream{};
  CHECK(inflateInit2(&stream, kRawDeflate) == Z_OK, "zlib does not start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END, "a manifest list that cannot be inflated");
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

// A gzip stream without its own header and end.
std::string Deflate(std::string_view plain) {
  constexpr size_t kHeader = 10, kEnd = 8;
  const std::string gzip = ingest::Gzip(plain);
  return gzip.substr(kHeader, gzip.size() - kHeader - kEnd);
}

std::string Zstandard(std::string_view plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1));
  return out;
}

void PutLittle(size_t value, size_t bytes, std::string& out) {
  for (size_t i = 0; i < bytes; i++) out += static_cast<char>(value >> (8 * i));
}

void PutLiteral(std::string_view text, std::string& out) {
  constexpr size_t kShort = 60;
  if (text.empty()) return;
  const size_t length = text.size() - 1, bytes = length < kShort ? 0 : length < 0x100 ? 1 : length < 0x1'0000 ? 2 : 3;
  out += static_cast<char>((bytes == 0 ? length : kShort - 1 + bytes) << 2);
  PutLittle(length, bytes, out);
  out += text;
}

// Snappy's block format: each four bytes that were there before become a copy, in each of its three forms; then Avro's checksum.
std::string Snappy(std::string_view plain) {
  constexpr size_t kMatch = 4, kLongest = 60, kNear = 2'048, kNearLongest = 11, kFar = 0x1'0000;
  std::string out;
  PutUnsigned(plain.size(), out);
  std::map<std::string_view, size_t> seen;
  size_t literal = 0, at = 0;
  while (at + kMatch <= plain.size()) {
    const auto [known, is_new] = seen.try_emplace(plain.substr(at, kMatch), at);
    if (is_new) {
      at++;
      continue;
    }
    const size_t from = std::exchange(known->second, at), distance = at - from;
    size_t length = kMatch;
    while (length < kLongest && at + length < plain.size() && plain[from + length] == plain[at + length]) length++;
    PutLiteral(plain.substr(literal, at - literal), out);
    if (distance < kNear && length <= kNearLongest) {
      out += static_cast<char>(distance >> 8 << 5 | (length - 4) << 2 | 1);
      PutLittle(distance, 1, out);
    } else {
      const bool far = distance >= kFar;
      out += static_cast<char>((length - 1) << 2 | (far ? 3 : 2));
      PutLittle(distance, far ? 4 : 2, out);
    }
    literal = at += length;
  }
  PutLiteral(plain.substr(literal), out);
  base::AppendBig(out, static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(plain.data()), static_cast<uInt>(plain.size()))));
  return out;
}

std::string Pack(std::string_view plain, ForeignCodec codec) {
  switch (codec) {
    case ForeignCodec::kNull: return std::string(plain);
    case ForeignCodec::kDeflate: return Deflate(plain);
    case ForeignCodec::kZstandard: return Zstandard(plain);
    case ForeignCodec::kSnappy: return Snappy(plain);
  }
  return {};
}

constexpr const char* kCodecNames[] = {"null", "deflate", "zstandard", "snappy"};

}  // namespace

std::string RecodeAvro(std::string_view in, ForeignCodec codec) {
  in.remove_prefix(kMagic.size());
  std::map<std::string, std::string> metadata;
  for (int64_t count = TakeLong(in); count != 0; count = TakeLong(in))
    for (; count > 0; count--) {
      auto key = TakeBytes(in);
      metadata[std::move(key)] = TakeBytes(in);
    }
  const bool is_packed = metadata["avro.codec"] == "deflate";
  std::erase_if(metadata, [](auto& entry) { return entry.first.starts_with("sluice."); });
  metadata["avro.codec"] = kCodecNames[static_cast<size_t>(codec)];
  const auto sync = TakeBytes(in, kSyncBytes);
  std::string out(kMagic);
  PutLong(static_cast<int64_t>(metadata.size()), out);
  for (auto& [key, value] : metadata) PutBytes(key, out), PutBytes(value, out);
  PutLong(0, out);
  out += sync;
  while (!in.empty()) {
    PutLong(TakeLong(in), out);
    const auto block = TakeBytes(in);
    PutBytes(Pack(is_packed ? Inflate(block) : block, codec), out);
    out += TakeBytes(in, kSyncBytes);
  }
  return out;
}

std::string AvroFile(std::string_view schema, const std::vector<std::string>& objects) {
  const std::string sync(kSyncBytes, 's');
  std::string out(kMagic), block;
  PutLong(1, out);
  PutBytes("avro.schema", out);
  PutBytes(schema, out);
  PutLong(0, out);
  out += sync;
  for (auto& object : objects) block += object;
  PutLong(static_cast<int64_t>(objects.size()), out);
  PutBytes(block, out);
  return out + sync;
}

}  // namespace sluice::sim
