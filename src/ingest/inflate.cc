// SPDX-License-Identifier: Apache-2.0
#include "ingest/inflate.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <string>

#include "base/check.h"

namespace sluice::ingest {
namespace {

Error Damaged(const char* encoding, const char* why) {
  return Error{ErrorCode::kInvalid, std::string("the body is no complete ") + encoding + " stream: " + why, "check Content-Encoding, and that the body was sent whole"};
}

Error TooLarge(size_t bound) {
  return Error{ErrorCode::kExhausted, "the decoded body is larger than " + std::to_string(bound) + " bytes", "send fewer events in one request"};
}

constexpr int kZstdWindowLogMax = 23;  // RFC 9659: who sends may not ask for more

Error WindowTooLarge(size_t bound) {
  return Error{ErrorCode::kExhausted, "the zstd stream wants a window of more than " + std::to_string(size_t{1} << kZstdWindowLogMax) + " bytes; decoded, a body may have " + std::to_string(bound),
               "compress with a lower level, or without --long (RFC 9659)"};
}

}  // namespace

Result<ContentEncoding> ParseContentEncoding(std::string_view header) {
  std::string name;
  for (char c : header) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.empty() || name == "identity") return ContentEncoding::kIdentity;
  if (name == "gzip" || name == "x-gzip") return ContentEncoding::kGzip;
  if (name == "zstd") return ContentEncoding::kZstd;
  return Error{ErrorCode::kInvalid, "the content encoding \"" + std::string(header.substr(0, 64)) + "\" is not taken", "use gzip, zstd or none"};
}

struct Inflater::Zstd {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ~Zstd() { ZSTD_freeDCtx(context); }
};

Inflater::Inflater(size_t decoded_bytes_max) : decoded_bytes_max_(decoded_bytes_max) {}
Inflater::~Inflater() = default;

// Doubles; a large one gets room up to the bound at once, of which it takes what it fills: growing would hold it twice. False: the bound
// is reached.
bool Inflater::Reserve(size_t bytes) {
  if (bytes > decoded_bytes_max_) return false;
  if (bytes <= capacity_) return true;
  constexpr size_t kLarge = size_t{2} << 20;
  size_t capacity = bytes > kLarge ? decoded_bytes_max_ : std::min(std::max(bytes, capacity_ * 2), decoded_bytes_max_);
  auto grown = std::make_unique_for_overwrite<char[]>(capacity + kPadding);
  if (capacity_ > 0) std::memcpy(grown.get(), buffer_.get(), capacity_);
  buffer_ = std::move(grown);
  capacity_ = capacity;
  return true;
}

// For what follows `size` bytes; may move the buffer. At the bound it is one byte of the padding, which tells a body of exactly the bound
// from a larger one.
size_t Inflater::RoomBehind(size_t size) { return size == capacity_ && !Reserve(capacity_ + 1) ? 1 : capacity_ - size; }

void Inflater::Trim(size_t bytes) {
  if (capacity_ <= bytes) return;
  buffer_.reset();
  capacity_ = 0;
}

Result<std::string_view> Inflater::Inflate(ContentEncoding encoding, std::string_view body) {
  CHECK(encoding != ContentEncoding::kIdentity, "nothing to inflate");
  Reserve(std::min(decoded_bytes_max_, std::max<size_t>(body.size() * 4, size_t{64} << 10)));
  ASSIGN_OR_RETURN(auto size, encoding == ContentEncoding::kGzip ? InflateGzip(body) : InflateZstd(body));
  std::memset(buffer_.get() + size, 0, kPadding);
  return std::string_view(buffer_.get(), size);
}

Result<size_t> Inflater::InflateGzip(std::string_view body) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream{};
  CHECK(inflateInit2(&stream, kGzipOnly) == Z_OK, "zlib has no memory");
  struct End { z_stream& s; ~End() { inflateEnd(&s); } } end{stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  size_t size = 0;
  for (;;) {
    const size_t room = RoomBehind(size);
    stream.next_out = reinterpret_cast<Bytef*>(buffer_.get() + size);
    stream.avail_out = static_cast<uInt>(room);
    const int rc = inflate(&stream, Z_NO_FLUSH);
    const size_t made = room - stream.avail_out;
    if (size + made > decoded_bytes_max_) return TooLarge(decoded_bytes_max_);
    size += made;
    if (rc == Z_STREAM_END) {
      if (stream.avail_in == 0) return size;
      if (inflateReset(&stream) != Z_OK) return Damaged("gzip", "bytes behind its end");
    } else if (rc == Z_BUF_ERROR || (rc == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      return Damaged("gzip", "it ends too early");
    } else if (rc != Z_OK) {
      return Damaged("gzip", stream.msg != nullptr ? stream.msg : "damaged");
    }
  }
}

Result<size_t> Inflater::InflateZstd(std::string_view body) {
  if (zstd_ == nullptr) {
    zstd_ = std::make_unique<Zstd>();
    CHECK(zstd_->context != nullptr, "libzstd has no memory");
    const int window_log = std::max(10, std::min(kZstdWindowLogMax, static_cast<int>(std::bit_width(decoded_bytes_max_ - 1))));
    ZSTD_DCtx_setParameter(zstd_->context, ZSTD_d_windowLogMax, window_log);
  }
  ZSTD_DCtx_reset(zstd_->context, ZSTD_reset_session_only);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  size_t size = 0, expected = 1;  // an empty body is no frame
  while (in.pos < in.size || (expected != 0 && size == capacity_)) {
    const size_t room = RoomBehind(size);
    ZSTD_outBuffer out{buffer_.get() + size, room, 0};
    const size_t in_before = in.pos;
    expected = ZSTD_decompressStream(zstd_->context, &out, &in);
    // It would be memory beside the decoded bytes.
    if (ZSTD_isError(expected) && ZSTD_getErrorCode(expected) == ZSTD_error_frameParameter_windowTooLarge) return WindowTooLarge(decoded_bytes_max_);
    if (ZSTD_isError(expected)) return Damaged("zstd", ZSTD_getErrorName(expected));
    if (size + out.pos > decoded_bytes_max_) return TooLarge(decoded_bytes_max_);
    size += out.pos;
    if (out.pos == 0 && in.pos == in_before) break;  // it wants input that is not there
  }
  if (expected != 0) return Damaged("zstd", "it ends too early");
  return size;
}

}  // namespace sluice::ingest
