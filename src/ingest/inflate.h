// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Content-Encoding: gzip and zstd, decoded in bounded memory. zlib and libzstd do the work; the bounds are ours.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace sluice::ingest {

enum class ContentEncoding : uint8_t { kIdentity, kGzip, kZstd };

// "" and "identity", "gzip" and "x-gzip", "zstd", in any case. kInvalid: another one, or several; the message names those that are taken.
Result<ContentEncoding> ParseContentEncoding(std::string_view header);

// Memory for decoded bodies, kept from request to request. Not thread-safe.
class Inflater {
 public:
  // Readable bytes behind the decoded ones, as the event decoders want them.
  static constexpr size_t kPadding = 64;
  // A body that needs a larger zstd window than the decoded bound, or than 8 MiB (RFC 9659), is refused before it is decoded.
  explicit Inflater(size_t decoded_bytes_max);
  ~Inflater();

  // The decoded bytes, valid until the next call. Several gzip members or zstd frames in a row are one body.
  // kInvalid: damaged, truncated or not of that encoding. kExhausted: more than the bound; no more than it was ever held.
  Result<std::string_view> Inflate(ContentEncoding encoding, std::string_view body);
  // Frees the memory for decoded bodies when it is more than `bytes`; what Inflate returned is gone then.
  void Trim(size_t bytes);

 private:
  Result<size_t> InflateGzip(std::string_view body);
  Result<size_t> InflateZstd(std::string_view body);
  bool Reserve(size_t bytes);
  size_t RoomBehind(size_t size);

  struct Zstd;
  const size_t decoded_bytes_max_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  std::unique_ptr<Zstd> zstd_;
};

}  // namespace sluice::ingest
