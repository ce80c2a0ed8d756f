// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/avro_schema.h"

#include <charconv>

namespace sluice::iceberg {
namespace {

struct PrimitiveName {
  AvroKind kind;
  std::string_view name;
};

constexpr PrimitiveName kPrimitives[] = {
    {AvroKind::kNull, "null"},   {AvroKind::kBoolean, "boolean"}, {AvroKind::kInt, "int"},     {AvroKind::kLong, "long"},
    {AvroKind::kFloat, "float"}, {AvroKind::kDouble, "double"},   {AvroKind::kBytes, "bytes"}, {AvroKind::kString, "string"},
};
constexpr int64_t kFixedBytesMax = 1 << 20;

Error Bad(const std::string& what) { return Error{ErrorCode::kCorruption, "avro schema: " + what}; }

int32_t FieldIdOf(const Json& json) {
  if (json.is_int()) return static_cast<int32_t>(json.AsInt());
  const std::string& text = json.AsString();
  int32_t id = kAvroNoFieldId;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return id;
}

}  // namespace

Result<AvroSchema> AvroSchema::Parse(const Json& json) {
  AvroSchema schema;
  ASSIGN_OR_RETURN(schema.root_, schema.Read(json));
  return schema;
}

AvroNode& AvroSchema::NewNode(AvroKind kind) {
  nodes_->push_back({});
  nodes_->back().kind = kind;
  return nodes_->back();
}

Result<const AvroNode*> AvroSchema::Read(const Json& json) {
  if (json.is_string()) return ReadName(json.AsString());
  if (json.is_object()) return ReadObject(json);
  if (!json.is_array() || json.AsArray().empty()) return Bad("neither a name nor an object nor a union");
  AvroNode& node = NewNode(AvroKind::kUnion);
  for (const Json& branch : json.AsArray()) {
    ASSIGN_OR_RETURN(const AvroNode* type, Read(branch));
    node.children.push_back(type);
  }
  return &node;
}

Result<const AvroNode*> AvroSchema::ReadName(const std::string& name) {
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.name == name) return &NewNode(primitive.kind);
  }
  auto it = named_.find(name);
  if (it == named_.end()) return Bad("the type \"" + name + "\" is not defined before its use");
  return it->second;
}

Result<const AvroNode*> AvroSchema::ReadObject(const Json& json) {
  if (!json["type"].is_string()) return Read(json["type"]);
  const std::string& type = json["type"].AsString();
  if (type == "record") {
    AvroNode& node = NewNode(AvroKind::kRecord);
    RETURN_IF_ERROR(ReadRecord(json, node));
    return &node;
  }
  if (type == "array" || type == "map") {
    AvroNode& node = NewNode(type == "array" ? AvroKind::kArray : AvroKind::kMap);
    ASSIGN_OR_RETURN(const AvroNode* item, Read(json[type == "array" ? "items" : "values"]));
    node.children.push_back(item);
    return &node;
  }
  if (type != "fixed" && type != "enum") return ReadName(type);
  AvroNode& node = NewNode(type == "fixed" ? AvroKind::kFixed : AvroKind::kEnum);
  int64_t size = json["size"].AsInt();
  if (size < 0 || size > kFixedBytesMax) return Bad("a fixed type of " + std::to_string(size) + " bytes");
  node.size = static_cast<size_t>(size);
  named_[json["name"].AsString()] = &node;
  return &node;
}

Result<void> AvroSchema::ReadRecord(const Json& json, AvroNode& node) {
  for (const Json& item : json["fields"].AsArray()) {
    AvroField field;
    field.name = item["name"].AsString();
    field.field_id = FieldIdOf(item["field-id"]);
    ASSIGN_OR_RETURN(field.type, Read(item["type"]));
    node.fields.push_back(std::move(field));
  }
  return {};
}

}  // namespace sluice::iceberg
