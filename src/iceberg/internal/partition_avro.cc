// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/partition_avro.h"

#include <cctype>
#include <cstdio>

namespace sluice::iceberg {
namespace {

bool IsNameCharacter(char c, bool first) {
  auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return false;
  return c == '_' || std::isalpha(byte) != 0 || (!first && std::isdigit(byte) != 0);
}

// "a.b" -> "a_x2Eb", "1a" -> "_1a": the escapes that Java uses.
std::string AvroName(const std::string& name) {
  std::string out;
  for (size_t i = 0; i < name.size(); i++) {
    if (IsNameCharacter(name[i], i == 0)) {
      out += name[i];
    } else if (std::isdigit(static_cast<unsigned char>(name[i])) != 0) {
      out += '_';
      out += name[i];
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "_x%X", static_cast<unsigned>(static_cast<unsigned char>(name[i])));
      out += escape;
    }
  }
  return out;
}

// Bytes of the smallest two's complement that holds `precision` digits.
size_t DecimalBytes(int32_t precision) {
  Uint128 largest = 1;
  for (int32_t i = 0; i < precision; i++) largest *= 10;
  size_t bytes = 1;
  for (Uint128 half = 128; half < largest && bytes < 16; half <<= 8) bytes++;
  return bytes;
}

Json Logical(const char* type, const char* logical) {
  Json json;
  json.Set("type", type);
  json.Set("logicalType", logical);
  return json;
}

// Names of fixed types must differ in one schema, so they carry the field id.
Json FixedType(const std::string& name, FieldId field_id, size_t size) {
  Json json;
  json.Set("type", "fixed");
  json.Set("name", name + "_" + std::to_string(field_id));
  json.Set("size", static_cast<int64_t>(size));
  return json;
}

Json AvroType(const NestedField& field) {
  Json json;
  switch (field.type.id) {
    case TypeId::kBoolean: return "boolean";
    case TypeId::kInt: return "int";
    case TypeId::kLong: return "long";
    case TypeId::kFloat: return "float";
    case TypeId::kDouble: return "double";
    case TypeId::kDate: return Logical("int", "date");
    case TypeId::kTime: return Logical("long", "time-micros");
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      json = Logical("long", "timestamp-micros");
      json.Set("adjust-to-utc", field.type.id == TypeId::kTimestampTz);
      return json;
    case TypeId::kDecimal:
      json = FixedType("decimal", field.id, DecimalBytes(field.type.precision));
      json.Set("logicalType", "decimal");
      json.Set("precision", field.type.precision);
      json.Set("scale", field.type.scale);
      return json;
    case TypeId::kUuid:
      json = FixedType("uuid", field.id, 16);
      json.Set("logicalType", "uuid");
      return json;
    case TypeId::kFixed: return FixedType("fixed", field.id, static_cast<size_t>(field.type.length));
    case TypeId::kBinary: return "bytes";
    default: return "string";
  }
}

std::string PaddedDecimal(const Value& value, const Type& type) {
  std::string bytes = ValueToBytes(value, type);
  size_t size = DecimalBytes(type.precision);
  bool negative = std::get<Int128>(value) < 0;
  if (bytes.size() < size) bytes.insert(0, size - bytes.size(), negative ? '\xFF' : '\0');
  return bytes;
}

void EncodeValue(const Value& value, const Type& type, AvroEncoder& out) {
  CHECK(Fits(value, type), "a partition value of another type");
  if (auto* b = std::get_if<bool>(&value)) out.PutBool(*b);
  else if (auto* n = std::get_if<int64_t>(&value)) out.PutLong(*n);
  else if (auto* f = std::get_if<float>(&value)) out.PutFloat(*f);
  else if (auto* d = std::get_if<double>(&value)) out.PutDouble(*d);
  else if (type.id == TypeId::kDecimal) out.PutFixed(PaddedDecimal(value, type));
  else if (type.id == TypeId::kUuid || type.id == TypeId::kFixed) out.PutFixed(std::get<std::string>(value));
  else out.PutBytes(std::get<std::string>(value));
}

Result<Value> DecodeValue(const AvroValue& from, const NestedField& field) {
  Value value;
  if (auto* b = std::get_if<bool>(&from.value)) value = *b;
  else if (auto* n = std::get_if<int64_t>(&from.value)) value = *n;
  else if (auto* d = std::get_if<double>(&from.value)) value = *d;
  else if (auto* f = std::get_if<float>(&from.value)) {
    // A double that was a float when the manifest was written.
    value = field.type.id == TypeId::kDouble ? Value(static_cast<double>(*f)) : Value(*f);
  } else if (auto* bytes = std::get_if<std::string>(&from.value)) {
    ASSIGN_OR_RETURN(value, ValueFromBytes(*bytes, field.type));
  }
  if (Fits(value, field.type)) return value;
  // Of an unknown transform or of a column that is gone nothing needs to be known.
  if (IsNull(value) || field.type.id == TypeId::kString) return Value();
  return Error{ErrorCode::kCorruption, "partition field \"" + field.name + "\" holds no " + field.type.ToString()};
}

}  // namespace

Json PartitionAvroSchema(const Type& partition) {
  Json fields = Json::MakeArray();
  for (const NestedField& field : partition.fields) {
    Json json;
    json.Set("name", AvroName(field.name));
    json.Set("type", Json(Json::Array{Json("null"), AvroType(field)}));
    json.Set("default", Json());
    json.Set("field-id", field.id);
    if (AvroName(field.name) != field.name) json.Set("iceberg-field-name", field.name);
    fields.Append(std::move(json));
  }
  Json record;
  record.Set("type", "record");
  record.Set("name", "r102");
  record.Set("fields", std::move(fields));
  return record;
}

void EncodePartition(const PartitionValue& values, const Type& partition, AvroEncoder& out) {
  CHECK(values.size() == partition.fields.size(), "a partition value of another spec");
  for (size_t i = 0; i < values.size(); i++) {
    if (IsNull(values[i])) {
      out.PutNull();
      continue;
    }
    out.PutPresent();
    EncodeValue(values[i], partition.fields[i].type, out);
  }
}

Result<PartitionValue> DecodePartition(const AvroValue& record, const Type& partition) {
  PartitionValue values;
  for (const NestedField& field : partition.fields) {
    ASSIGN_OR_RETURN(Value value, DecodeValue(record.Field(field.id, AvroName(field.name)), field));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace sluice::iceberg
