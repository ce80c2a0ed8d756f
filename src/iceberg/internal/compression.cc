// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace sluice::iceberg {
namespace {

constexpr int kWindowBits = 15;
constexpr int kGzipOnly = 16;  // added to the window bits: zlib expects a gzip header
constexpr int kDeflateLevel = 6;
constexpr size_t kStep = 64 << 10;

Error Damaged(const char* format) { return Error{ErrorCode::kCorruption, std::string("damaged ") + format + " data"}; }
Error TooLarge(size_t bytes_max) {
  return Error{ErrorCode::kExhausted, "decompressed data is larger than " + std::to_string(bytes_max) + " bytes"};
}

Bytef* In(std::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

Result<std::string> Inflate(std::string_view bytes, size_t bytes_max, int window_bits, const char* format) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, window_bits) == Z_OK, "zlib does not start");
  std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = In(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    size_t had = out.size();
    if (had > bytes_max) return TooLarge(bytes_max);
    out.resize(had + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = kStep;
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(had + kStep - stream.avail_out);
    bool stuck = state == Z_OK && stream.avail_in == 0 && stream.avail_out != 0;
    if ((state != Z_OK && state != Z_STREAM_END) || stuck) return Damaged(format);
  }
  if (out.size() > bytes_max) return TooLarge(bytes_max);
  return out;
}

// The length that stands before snappy data: seven bits a byte, low ones first. False: not there.
bool SnappyLength(std::string_view bytes, size_t& at, size_t& length) {
  length = 0;
  for (int shift = 0; shift <= 28 && at < bytes.size(); shift += 7) {
    auto byte = static_cast<uint8_t>(bytes[at++]);
    length |= static_cast<size_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

size_t LittleNumber(std::string_view bytes, size_t at, size_t size) {
  size_t number = 0;
  for (size_t i = size; i-- > 0;) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
  return number;
}

// Appends the literal whose tag is at `at` - 1. False: it reaches behind the end.
bool SnappyLiteral(std::string_view bytes, size_t& at, uint8_t tag, std::string& out) {
  size_t length = tag >> 2;
  if (length >= 60) {
    size_t size = length - 59;
    if (bytes.size() - at < size) return false;
    length = LittleNumber(bytes, at, size);
    at += size;
  }
  length++;
  if (bytes.size() - at < length) return false;
  out.append(bytes.substr(at, length));
  at += length;
  return true;
}

// Repeats earlier output; the source may overlap what it makes.
bool SnappyCopy(std::string_view bytes, size_t& at, uint8_t tag, size_t whole, std::string& out) {
  size_t kind = tag & 3, size = kind == 3 ? 4 : kind;
  if (bytes.size() - at < size) return false;
  size_t length = kind == 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2);
  size_t distance = LittleNumber(bytes, at, size) + (kind == 1 ? static_cast<size_t>(tag >> 5) << 8 : 0);
  at += size;
  if (distance == 0 || distance > out.size() || length > whole - out.size()) return false;
  for (size_t i = 0; i < length; i++) out += out[out.size() - distance];
  return true;
}

}  // namespace

Result<std::string> Gunzip(std::string_view bytes, size_t bytes_max) { return Inflate(bytes, bytes_max, kWindowBits + kGzipOnly, "gzip"); }
Result<std::string> InflateRaw(std::string_view bytes, size_t bytes_max) { return Inflate(bytes, bytes_max, -kWindowBits, "deflate"); }

std::string DeflateRaw(std::string_view bytes) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, kDeflateLevel, Z_DEFLATED, -kWindowBits, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib does not start");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = In(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate did not fit its own bound");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> DecompressZstd(std::string_view bytes, size_t bytes_max) {
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string out;
  for (size_t left = 1; left != 0;) {
    size_t had = out.size();
    if (had > bytes_max) return TooLarge(bytes_max);
    out.resize(had + kStep);
    ZSTD_outBuffer to{out.data() + had, kStep, 0};
    left = ZSTD_decompressStream(context.get(), &to, &in);
    out.resize(had + to.pos);
    bool stuck = left != 0 && in.pos == in.size && to.pos < kStep;
    if (ZSTD_isError(left) != 0 || stuck) return Damaged("zstandard");
  }
  if (out.size() > bytes_max) return TooLarge(bytes_max);
  return out;
}

Result<std::string> DecompressSnappy(std::string_view bytes, size_t bytes_max) {
  size_t at = 0, whole = 0;
  if (!SnappyLength(bytes, at, whole)) return Damaged("snappy");
  if (whole > bytes_max) return TooLarge(bytes_max);
  std::string out;
  out.reserve(whole);
  while (at < bytes.size()) {
    auto tag = static_cast<uint8_t>(bytes[at++]);
    bool ok = (tag & 3) == 0 ? SnappyLiteral(bytes, at, tag, out) : SnappyCopy(bytes, at, tag, whole, out);
    if (!ok || out.size() > whole) return Damaged("snappy");
  }
  if (out.size() != whole) return Damaged("snappy");
  return out;
}

}  // namespace sluice::iceberg
