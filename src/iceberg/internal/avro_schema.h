// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The schema in an Avro file's header, with Iceberg's field ids. Source: Avro specification 1.11, Iceberg spec appendix A.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace sluice::iceberg {

enum class AvroKind : uint8_t { kNull, kBoolean, kInt, kLong, kFloat, kDouble, kBytes, kString, kRecord, kEnum, kArray, kMap, kUnion, kFixed };

constexpr int32_t kAvroNoFieldId = -1;

struct AvroNode;

struct AvroField {
  std::string name;
  int32_t field_id = kAvroNoFieldId;  // also when it was written as text, as some writers do
  const AvroNode* type = nullptr;
};

struct AvroNode {
  AvroKind kind = AvroKind::kNull;
  std::vector<AvroField> fields;           // kRecord
  std::vector<const AvroNode*> children;   // kUnion: branches; kArray, kMap: the item
  size_t size = 0;                         // kFixed: bytes
};

// Owns the nodes; they stay where they are when it is moved.
class AvroSchema {
 public:
  // kCorruption: not a schema, a type that uses itself, or a record that is used twice (manifests have neither).
  static Result<AvroSchema> Parse(const Json& json);
  const AvroNode& root() const { return *root_; }

 private:
  Result<const AvroNode*> Read(const Json& json);
  Result<const AvroNode*> ReadName(const std::string& name);
  Result<const AvroNode*> ReadObject(const Json& json);
  Result<void> ReadRecord(const Json& json, AvroNode& node);
  AvroNode& NewNode(AvroKind kind);

  std::unique_ptr<std::deque<AvroNode>> nodes_ = std::make_unique<std::deque<AvroNode>>();
  std::map<std::string, const AvroNode*> named_;  // fixed and enum types by name
  const AvroNode* root_ = nullptr;
};

}  // namespace sluice::iceberg
