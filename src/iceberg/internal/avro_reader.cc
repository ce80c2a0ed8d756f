// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/avro_reader.h"

#include <zlib.h>

#include <bit>

#include "base/bytes.h"
#include "iceberg/internal/avro_writer.h"
#include "iceberg/internal/compression.h"

namespace sluice::iceberg {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kSyncBytes = 16;
constexpr size_t kSnappyCrcBytes = 4;
constexpr int kVarintBytesMax = 10;

Error Damaged(const char* what) { return Error{ErrorCode::kCorruption, std::string("avro: ") + what}; }

// Decodes primitives; after a failure ok() is false and every getter answers zero.
class AvroDecoder {
 public:
  explicit AvroDecoder(std::string_view bytes) : reader_(bytes) {}

  int64_t GetLong() {
    uint64_t bits = 0;
    for (int i = 0; i < kVarintBytesMax; i++) {
      auto byte = reader_.Get<uint8_t>();
      bits |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
      if ((byte & 0x80) == 0) return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
    }
    failed_ = true;
    return 0;
  }
  std::string_view GetBytes() { return GetBytes(GetLong()); }
  std::string_view GetBytes(int64_t size) {
    if (size < 0 || static_cast<uint64_t>(size) > reader_.left()) {
      failed_ = true;
      return {};
    }
    return reader_.GetBytes(static_cast<size_t>(size));
  }
  template <class Bits>
  Bits Get() { return reader_.Get<Bits>(); }
  // The items in the next block of an array or map; 0: its end. Every item takes a byte at least.
  size_t GetItemCount() {
    int64_t count = GetLong();
    if (count < 0) {
      GetLong();  // the block's size, there for readers that skip
      count = count == INT64_MIN ? INT64_MAX : -count;
    }
    if (static_cast<uint64_t>(count) > reader_.left()) failed_ = true;
    return ok() ? static_cast<size_t>(count) : 0;
  }
  bool ok() const { return !failed_ && reader_.ok(); }
  size_t left() const { return reader_.left(); }
  size_t position() const { return reader_.position(); }
  void Fail() { failed_ = true; }

 private:
  base::ByteReader reader_;
  bool failed_ = false;
};

AvroValue DecodeValue(AvroDecoder& in, const AvroNode& node);

std::vector<AvroValue> DecodeItems(AvroDecoder& in, const AvroNode& node) {
  static const AvroNode kKey{AvroKind::kString, {}, {}, 0};
  std::vector<AvroValue> items;
  for (size_t count = in.GetItemCount(); count > 0; count = in.GetItemCount()) {
    for (size_t i = 0; i < count && in.ok(); i++) {
      if (node.kind == AvroKind::kArray) {
        items.push_back(DecodeValue(in, *node.children[0]));
        continue;
      }
      std::vector<AvroValue> pair;
      pair.push_back(DecodeValue(in, kKey));
      pair.push_back(DecodeValue(in, *node.children[0]));
      items.push_back({&node, std::move(pair)});
    }
  }
  return items;
}

AvroValue DecodeUnion(AvroDecoder& in, const AvroNode& node) {
  int64_t branch = in.GetLong();
  if (branch < 0 || static_cast<uint64_t>(branch) >= node.children.size()) {
    in.Fail();
    return {};
  }
  return DecodeValue(in, *node.children[static_cast<size_t>(branch)]);
}

AvroValue DecodeRecord(AvroDecoder& in, const AvroNode& node) {
  std::vector<AvroValue> fields;
  fields.reserve(node.fields.size());
  for (const AvroField& field : node.fields) {
    if (!in.ok()) return {};
    fields.push_back(DecodeValue(in, *field.type));
  }
  return {&node, std::move(fields)};
}

AvroValue DecodeValue(AvroDecoder& in, const AvroNode& node) {
  switch (node.kind) {
    case AvroKind::kNull: return {&node, {}};
    case AvroKind::kBoolean: return {&node, in.Get<uint8_t>() != 0};
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum: return {&node, in.GetLong()};
    case AvroKind::kFloat: return {&node, std::bit_cast<float>(in.Get<int32_t>())};
    case AvroKind::kDouble: return {&node, std::bit_cast<double>(in.Get<int64_t>())};
    case AvroKind::kBytes:
    case AvroKind::kString: return {&node, std::string(in.GetBytes())};
    case AvroKind::kFixed: return {&node, std::string(in.GetBytes(static_cast<int64_t>(node.size)))};
    case AvroKind::kRecord: return DecodeRecord(in, node);
    case AvroKind::kArray:
    case AvroKind::kMap: return {&node, DecodeItems(in, node)};
    case AvroKind::kUnion: return DecodeUnion(in, node);
  }
  return {};
}

// A snappy block ends with the big-endian CRC-32 of what it holds.
Result<std::string> UnpackSnappy(std::string_view block) {
  if (block.size() < kSnappyCrcBytes) return Damaged("a snappy block without its checksum");
  ASSIGN_OR_RETURN(std::string plain, DecompressSnappy(block.substr(0, block.size() - kSnappyCrcBytes), kAvroBlockBytesMax));
  auto crc = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(plain.data()), static_cast<uInt>(plain.size())));
  if (crc != base::GetBig<uint32_t>(block.data() + block.size() - kSnappyCrcBytes)) return Damaged("a snappy block has a wrong checksum");
  return plain;
}

Result<std::string> Unpack(std::string_view block, const std::string& codec) {
  if (codec == "deflate") return InflateRaw(block, kAvroBlockBytesMax);
  if (codec == "zstandard") return DecompressZstd(block, kAvroBlockBytesMax);
  if (codec == "snappy") return UnpackSnappy(block);
  return Error{ErrorCode::kInvalid, "avro codec \"" + codec + "\" is not supported", "use null, deflate, zstandard or snappy"};
}

const std::string& CodecOf(const std::map<std::string, std::string>& metadata) {
  static const std::string kNull = "null";
  auto it = metadata.find("avro.codec");
  return it == metadata.end() ? kNull : it->second;
}

}  // namespace

int64_t AvroValue::AsInt(int64_t otherwise) const { auto* v = std::get_if<int64_t>(&value); return v != nullptr ? *v : otherwise; }
bool AvroValue::AsBool(bool otherwise) const { auto* v = std::get_if<bool>(&value); return v != nullptr ? *v : otherwise; }

const std::string& AvroValue::AsBytes() const {
  static const std::string kEmpty;
  auto* v = std::get_if<std::string>(&value);
  return v != nullptr ? *v : kEmpty;
}

const std::vector<AvroValue>& AvroValue::AsItems() const {
  static const std::vector<AvroValue> kEmpty;
  auto* v = std::get_if<std::vector<AvroValue>>(&value);
  return v != nullptr ? *v : kEmpty;
}

namespace {

template <class Matches>
const AvroValue& FindField(const AvroValue& record, Matches matches) {
  static const AvroValue kNull;
  if (record.node == nullptr || record.node->kind != AvroKind::kRecord) return kNull;
  const auto& values = record.AsItems();
  for (size_t i = 0; i < values.size(); i++) {
    if (matches(record.node->fields[i])) return values[i];
  }
  return kNull;
}

}  // namespace

const AvroValue& AvroValue::Field(int32_t field_id, std::string_view name) const {
  return FindField(*this, [&](const AvroField& field) {
    return field.field_id == field_id || (field.field_id == kAvroNoFieldId && field.name == name);
  });
}

const AvroValue& AvroValue::FieldNamed(std::string_view name) const {
  return FindField(*this, [&](const AvroField& field) { return field.name == name; });
}

bool AvroReader::IsAsWritten() const {
  const auto sum = metadata_.find(std::string(kAvroChecksumKey));
  if (sum == metadata_.end()) return !metadata_.contains(std::string(kAvroWriterKey));
  return sum->second == AvroChecksum(metadata_, sync_, blocks_);
}

Result<AvroReader> AvroReader::Open(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Damaged("the file does not start with \"Obj\"");
  AvroReader reader;
  AvroDecoder in(bytes.substr(kMagic.size()));
  for (size_t count = in.GetItemCount(); count > 0; count = in.GetItemCount()) {
    for (size_t i = 0; i < count && in.ok(); i++) {
      std::string key(in.GetBytes());
      reader.metadata_[key] = std::string(in.GetBytes());
    }
  }
  reader.sync_ = in.GetBytes(kSyncBytes);
  if (!in.ok()) return Damaged("the header is cut");
  reader.blocks_ = bytes.substr(kMagic.size() + in.position());
  if (!reader.IsAsWritten()) return Damaged("its checksum is another one");
  auto json = Json::Parse(reader.metadata_["avro.schema"]);
  if (!json.ok()) return Damaged("the header has no schema");
  ASSIGN_OR_RETURN(reader.schema_, AvroSchema::Parse(*json));
  return reader;
}

Result<void> AvroReader::ForEach(const std::function<Result<void>(const AvroValue&)>& visit) const {
  AvroDecoder in(blocks_);
  const std::string& codec = CodecOf(metadata_);
  while (in.left() > 0) {
    int64_t objects = in.GetLong();
    std::string_view block = in.GetBytes();
    std::string_view sync = in.GetBytes(kSyncBytes);
    if (!in.ok() || objects < 0) return Damaged("a block is cut");
    if (sync != sync_) return Damaged("a block does not end with the sync marker");
    if (codec == "null") {
      RETURN_IF_ERROR(ReadBlock(block, objects, visit));
    } else {
      ASSIGN_OR_RETURN(std::string plain, Unpack(block, codec));
      RETURN_IF_ERROR(ReadBlock(plain, objects, visit));
    }
  }
  return {};
}

Result<void> AvroReader::ReadBlock(std::string_view block, int64_t objects, const std::function<Result<void>(const AvroValue&)>& visit) const {
  AvroDecoder in(block);
  if (static_cast<uint64_t>(objects) > block.size()) return Damaged("a block announces more objects than it has bytes");
  for (int64_t i = 0; i < objects; i++) {
    AvroValue value = DecodeValue(in, schema_.root());
    if (!in.ok()) return Damaged("an object is cut");
    RETURN_IF_ERROR(visit(value));
  }
  if (in.left() != 0) return Damaged("a block has bytes behind its last object");
  return {};
}

}  // namespace sluice::iceberg
