// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads Avro object container files: codecs null, deflate, zstandard and snappy. Values are resolved by Iceberg field id, and
// by name only where a writer left the ids out. Untrusted bytes: every length is checked against what is there.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "iceberg/internal/avro_schema.h"

namespace sluice::iceberg {

// A block after decompression; more is refused.
constexpr size_t kAvroBlockBytesMax = size_t{1} << 30;

// A decoded value; `node` is its type after unions are resolved. A map is an array of (key, value) arrays.
struct AvroValue {
  const AvroNode* node = nullptr;
  std::variant<std::monostate, bool, int64_t, float, double, std::string, std::vector<AvroValue>> value;

  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
  int64_t AsInt(int64_t otherwise) const;
  bool AsBool(bool otherwise) const;
  const std::string& AsBytes() const;              // empty when it has none
  const std::vector<AvroValue>& AsItems() const;  // of an array; empty when it is none
  // The field of a record with that id, or with that name if it carries no id; a shared null when there is none.
  const AvroValue& Field(int32_t field_id, std::string_view name) const;
  // Likewise, whatever its id.
  const AvroValue& FieldNamed(std::string_view name) const;
};

// `bytes` must outlive it.
class AvroReader {
 public:
  // Reads the header. kCorruption: not an Avro file, or one of ours (avro_writer.h) with another checksum or none. kInvalid: a codec that is not supported.
  static Result<AvroReader> Open(std::string_view bytes);

  // The header's entries, "avro.schema" and "avro.codec" among them.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // Calls `visit` for every object in the order of the file; stops at its first error and returns it.
  Result<void> ForEach(const std::function<Result<void>(const AvroValue&)>& visit) const;

 private:
  bool IsAsWritten() const;  // also true of files of others, of which nobody knows
  Result<void> ReadBlock(std::string_view block, int64_t objects, const std::function<Result<void>(const AvroValue&)>& visit) const;

  AvroSchema schema_;
  std::map<std::string, std::string> metadata_;
  std::string_view sync_;
  std::string_view blocks_;
};

}  // namespace sluice::iceberg
