// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Writes Avro object container files in memory. The caller encodes each object field by field, in the order of the schema.

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sluice::iceberg {

// Avro's binary encoding. Optional values are unions of null and a type: PutNull, or PutPresent and then the value.
class AvroEncoder {
 public:
  void PutLong(int64_t value) {
    uint64_t bits = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    for (; bits >= 0x80; bits >>= 7) bytes_ += static_cast<char>(bits | 0x80);
    bytes_ += static_cast<char>(bits);
  }
  void PutBool(bool value) { bytes_ += value ? '\1' : '\0'; }
  void PutFloat(float value) { base::AppendLittle(bytes_, std::bit_cast<int32_t>(value)); }
  void PutDouble(double value) { base::AppendLittle(bytes_, std::bit_cast<int64_t>(value)); }
  void PutBytes(std::string_view value) {
    PutLong(static_cast<int64_t>(value.size()));
    bytes_ += value;
  }
  void PutFixed(std::string_view value) { bytes_ += value; }
  void PutNull() { PutLong(0); }
  void PutPresent() { PutLong(1); }
  // Before the items of an array; PutItemsEnd behind them.
  void PutItemCount(size_t count) { if (count > 0) PutLong(static_cast<int64_t>(count)); }
  void PutItemsEnd() { PutLong(0); }

  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

enum class AvroCodec : uint8_t { kNull, kDeflate };

// Header entries of every file that is written here: CRC-32C of all other entries, the sync marker and the blocks, because Avro itself
// would not notice a flipped bit; and one that says that there must be such a checksum, because its name may rot as well. Readers of
// others pass them by; files of others have neither.
constexpr std::string_view kAvroChecksumKey = "sluice.crc32c";
constexpr std::string_view kAvroWriterKey = "sluice.writer";
std::string AvroChecksum(const std::map<std::string, std::string>& metadata, std::string_view sync, std::string_view blocks);

class AvroWriter {
 public:
  // `metadata`: header entries beside avro.schema, avro.codec and those above. `sync`: 16 random bytes.
  AvroWriter(const std::string& schema_json, std::map<std::string, std::string> metadata, AvroCodec codec, std::string sync);

  // Where the next object is encoded; EndObject closes it.
  AvroEncoder& object() { return block_; }
  void EndObject();
  // So far; the block that is open counts uncompressed.
  size_t bytes() const { return header_bytes_ + blocks_.size() + block_.bytes().size(); }
  // The whole file. Ends the writer.
  std::string Finish();

 private:
  void EndBlock();

  AvroCodec codec_;
  std::map<std::string, std::string> metadata_;
  std::string sync_;
  size_t header_bytes_ = 0;  // roughly
  std::string blocks_;
  AvroEncoder block_;
  int64_t block_objects_ = 0;
};

}  // namespace sluice::iceberg
