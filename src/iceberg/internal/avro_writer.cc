// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/avro_writer.h"

#include "base/check.h"
#include "iceberg/internal/compression.h"

namespace sluice::iceberg {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kSyncBytes = 16;

}  // namespace

std::string AvroChecksum(const std::map<std::string, std::string>& metadata, std::string_view sync, std::string_view blocks) {
  AvroEncoder entries;
  for (const auto& [key, value] : metadata) {
    if (key == kAvroChecksumKey) continue;
    entries.PutBytes(key);
    entries.PutBytes(value);
  }
  std::string crc;
  base::AppendBig(crc, base::Crc32c(blocks, base::Crc32c(sync, base::Crc32c(entries.bytes()))));
  return base::ToHex(crc);
}

AvroWriter::AvroWriter(const std::string& schema_json, std::map<std::string, std::string> metadata, AvroCodec codec, std::string sync)
    : codec_(codec), metadata_(std::move(metadata)), sync_(std::move(sync)) {
  CHECK(sync_.size() == kSyncBytes, "an avro sync marker has 16 bytes");
  metadata_["avro.schema"] = schema_json;
  metadata_[std::string(kAvroWriterKey)] = "sluice";
  metadata_["avro.codec"] = codec == AvroCodec::kNull ? "null" : "deflate";
  for (const auto& [key, value] : metadata_) header_bytes_ += key.size() + value.size();
}

void AvroWriter::EndObject() {
  block_objects_++;
  if (block_.bytes().size() >= kBlockBytes) EndBlock();
}

void AvroWriter::EndBlock() {
  if (block_objects_ == 0) return;
  std::string packed = codec_ == AvroCodec::kDeflate ? DeflateRaw(block_.bytes()) : block_.bytes();
  AvroEncoder head;
  head.PutLong(block_objects_);
  head.PutBytes(packed);
  blocks_ += head.bytes() + sync_;
  block_.Clear();
  block_objects_ = 0;
}

std::string AvroWriter::Finish() {
  EndBlock();
  metadata_[std::string(kAvroChecksumKey)] = AvroChecksum(metadata_, sync_, blocks_);
  AvroEncoder header;
  header.PutItemCount(metadata_.size());
  for (const auto& [key, value] : metadata_) {
    header.PutBytes(key);
    header.PutBytes(value);
  }
  header.PutItemsEnd();
  return std::string("Obj\1", 4) + header.bytes() + sync_ + blocks_;
}

}  // namespace sluice::iceberg
