// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/avro_writer.h"

#include "base/check.h"
#include "iceberg/internal/compression.h"

namespace sluice::iceberg {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kSyncBytes = 16;

}  // namespace

AvroWriter::AvroWriter(const std::string& schema_json, std::map<std::string, std::string> metadata, AvroCodec codec, std::string sync)
    : codec_(codec), sync_(std::move(sync)) {
  CHECK(sync_.size() == kSyncBytes, "an avro sync marker has 16 bytes");
  metadata["avro.schema"] = schema_json;
  metadata["avro.codec"] = codec == AvroCodec::kNull ? "null" : "deflate";
  AvroEncoder header;
  header.PutItemCount(metadata.size());
  for (const auto& [key, value] : metadata) {
    header.PutBytes(key);
    header.PutBytes(value);
  }
  header.PutItemsEnd();
  file_ = std::string("Obj\1", 4) + header.bytes() + sync_;
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
  file_ += head.bytes() + sync_;
  block_.Clear();
  block_objects_ = 0;
}

std::string AvroWriter::Finish() {
  EndBlock();
  return std::move(file_);
}

}  // namespace sluice::iceberg
