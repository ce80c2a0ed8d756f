// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Whole buffers in and out: gzip for metadata files, raw deflate, zstandard and snappy for blocks of Avro files.

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::iceberg {

// All decoders: kCorruption when the bytes are damaged or incomplete, kExhausted when the result is larger than `bytes_max`.
Result<std::string> Gunzip(std::string_view bytes, size_t bytes_max);
Result<std::string> InflateRaw(std::string_view bytes, size_t bytes_max);
Result<std::string> DecompressZstd(std::string_view bytes, size_t bytes_max);
// The block format of snappy, without framing.
Result<std::string> DecompressSnappy(std::string_view bytes, size_t bytes_max);

std::string DeflateRaw(std::string_view bytes);

}  // namespace sluice::iceberg
