// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Table schemas: types, fields and their ids. A column is its field id; names are only labels that may change.
//
//   struct  fields in order
//   list    one field, "element"
//   map     two fields, "key" (required) and "value"
//
// Source: Iceberg table spec, "Schemas and Data Types" and appendix C (JSON).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace sluice::iceberg {

using FieldId = int32_t;
using SchemaId = int32_t;

// The types of format v1 and v2. Types of v3 (timestamp_ns, variant, ...) are refused when a schema is read.
enum class TypeId : uint8_t {
  kBoolean,
  kInt,          // 32 bits
  kLong,         // 64 bits
  kFloat,
  kDouble,
  kDecimal,      // precision 1..38, scale
  kDate,         // days since 1970-01-01
  kTime,         // microseconds since midnight
  kTimestamp,    // microseconds since the epoch, of no zone
  kTimestampTz,  // microseconds since the epoch, UTC
  kString,       // UTF-8
  kUuid,         // 16 bytes
  kFixed,        // `length` bytes
  kBinary,
  kStruct,
  kList,
  kMap,
};

struct NestedField;

// A value; copying a nested type copies its fields.
struct Type {
  TypeId id = TypeId::kString;
  int32_t precision = 0;            // kDecimal
  int32_t scale = 0;                // kDecimal
  int32_t length = 0;               // kFixed: bytes
  std::vector<NestedField> fields;  // kStruct, kList, kMap: see the banner

  Type();
  Type(TypeId primitive);  // NOLINT: implicit, so that schemas read like schemas
  static Type Decimal(int32_t precision, int32_t scale);
  static Type Fixed(int32_t length);
  static Type Struct(std::vector<NestedField> fields);
  static Type List(FieldId element_id, Type element, bool element_required);
  static Type Map(FieldId key_id, Type key, FieldId value_id, Type value, bool value_required);

  bool is_nested() const { return id >= TypeId::kStruct; }
  bool is_primitive() const { return !is_nested(); }
  // REQUIRES: kList; kMap; kMap.
  const NestedField& element() const;
  const NestedField& key() const;
  const NestedField& value() const;

  // "long", "decimal(9, 2)", "fixed[16]"; nested types as "struct", "list", "map".
  std::string ToString() const;
  bool operator==(const Type& other) const;
};

struct NestedField {
  FieldId id = 0;
  std::string name;
  Type type;
  bool required = false;
  std::string doc = {};  // empty: none
  // v3; null values of JSON when absent. Kept when read, used for rows of files that lack the column.
  Json initial_default = {};
  Json write_default = {};

  bool operator==(const NestedField& other) const = default;
};

// Here, where a vector of fields is complete.
inline Type::Type() = default;
inline Type::Type(TypeId primitive) : id(primitive) {}

struct TableSchema {
  SchemaId schema_id = 0;
  std::vector<NestedField> fields;
  std::vector<FieldId> identifier_field_ids;

  // At any depth; null when there is none. The pointer lives as long as this schema is not changed.
  const NestedField* FindById(FieldId id) const;
  // By full name: "a", "a.b" in a struct, "a.element", "a.key", "a.value". Case-sensitive.
  const NestedField* FindByName(std::string_view full_name) const;
  // The full name of a field at any depth; empty when there is none.
  std::string FullName(FieldId id) const;
  // The largest id at any depth; 0 without fields.
  FieldId HighestFieldId() const;
  // Equal fields and identifier ids, whatever the schema id.
  bool SameFields(const TableSchema& other) const;

  bool operator==(const TableSchema& other) const = default;
};

// "long", "decimal(9,2)", ... and JSON objects of nested types. kInvalid names an unknown type.
Result<Type> TypeFromJson(const Json& json);
Json TypeToJson(const Type& type);

// kInvalid: a member is missing or of the wrong type, an id occurs twice, two fields of one struct share a name, an
// identifier id that names no field.
Result<TableSchema> SchemaFromJson(const Json& json);
Json SchemaToJson(const TableSchema& schema);

// What SchemaFromJson refuses, for schemas made in code.
Result<void> ValidateSchema(const TableSchema& schema);

}  // namespace sluice::iceberg
