// SPDX-License-Identifier: Apache-2.0
#include "iceberg/schema.h"

#include <algorithm>
#include <set>

namespace sluice::iceberg {

Type Type::Decimal(int32_t precision, int32_t scale) {
  Type type(TypeId::kDecimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type Type::Fixed(int32_t length) {
  Type type(TypeId::kFixed);
  type.length = length;
  return type;
}

Type Type::Struct(std::vector<NestedField> fields) {
  Type type(TypeId::kStruct);
  type.fields = std::move(fields);
  return type;
}

Type Type::List(FieldId element_id, Type element, bool element_required) {
  Type type(TypeId::kList);
  type.fields.push_back({element_id, "element", std::move(element), element_required});
  return type;
}

Type Type::Map(FieldId key_id, Type key, FieldId value_id, Type value, bool value_required) {
  Type type(TypeId::kMap);
  type.fields.push_back({key_id, "key", std::move(key), true});
  type.fields.push_back({value_id, "value", std::move(value), value_required});
  return type;
}

const NestedField& Type::element() const {
  CHECK(id == TypeId::kList && fields.size() == 1, "element() of a type that is no list");
  return fields[0];
}

const NestedField& Type::key() const {
  CHECK(id == TypeId::kMap && fields.size() == 2, "key() of a type that is no map");
  return fields[0];
}

const NestedField& Type::value() const {
  CHECK(id == TypeId::kMap && fields.size() == 2, "value() of a type that is no map");
  return fields[1];
}

bool Type::operator==(const Type& other) const {
  return id == other.id && precision == other.precision && scale == other.scale && length == other.length && fields == other.fields;
}

namespace {

const NestedField* FindIn(const std::vector<NestedField>& fields, FieldId id) {
  for (const NestedField& field : fields) {
    if (field.id == id) return &field;
    if (const NestedField* found = FindIn(field.type.fields, id)) return found;
  }
  return nullptr;
}

// Field names may hold dots themselves, so each field tries to be the head of the name.
const NestedField* FindIn(const std::vector<NestedField>& fields, std::string_view name) {
  for (const NestedField& field : fields) {
    if (field.name == name) return &field;
    bool is_head = name.size() > field.name.size() && name[field.name.size()] == '.' && name.substr(0, field.name.size()) == field.name;
    if (!is_head) continue;
    if (const NestedField* found = FindIn(field.type.fields, name.substr(field.name.size() + 1))) return found;
  }
  return nullptr;
}

bool NameIn(const std::vector<NestedField>& fields, FieldId id, std::string& name) {
  for (const NestedField& field : fields) {
    std::string below;
    if (field.id == id) {
      name = field.name;
      return true;
    }
    if (NameIn(field.type.fields, id, below)) {
      name = field.name + "." + below;
      return true;
    }
  }
  return false;
}

FieldId HighestIn(const std::vector<NestedField>& fields) {
  FieldId highest = 0;
  for (const NestedField& field : fields) highest = std::max({highest, field.id, HighestIn(field.type.fields)});
  return highest;
}

Result<void> ValidateFields(const std::vector<NestedField>& fields, std::set<FieldId>& ids) {
  std::set<std::string_view> names;
  for (const NestedField& field : fields) {
    if (field.id <= 0) return Error{ErrorCode::kInvalid, "field \"" + field.name + "\" has the id " + std::to_string(field.id)};
    if (!ids.insert(field.id).second)
      return Error{ErrorCode::kInvalid, "field id " + std::to_string(field.id) + " occurs twice in the schema"};
    if (field.name.empty()) return Error{ErrorCode::kInvalid, "field " + std::to_string(field.id) + " has no name"};
    if (!names.insert(field.name).second) return Error{ErrorCode::kInvalid, "two fields are named \"" + field.name + "\""};
    RETURN_IF_ERROR(ValidateFields(field.type.fields, ids));
  }
  return {};
}

}  // namespace

const NestedField* TableSchema::FindById(FieldId id) const { return FindIn(fields, id); }
const NestedField* TableSchema::FindByName(std::string_view full_name) const { return FindIn(fields, full_name); }

std::string TableSchema::FullName(FieldId id) const {
  std::string name;
  NameIn(fields, id, name);
  return name;
}

FieldId TableSchema::HighestFieldId() const { return HighestIn(fields); }

bool TableSchema::SameFields(const TableSchema& other) const {
  return fields == other.fields && identifier_field_ids == other.identifier_field_ids;
}

Result<void> ValidateSchema(const TableSchema& schema) {
  std::set<FieldId> ids;
  RETURN_IF_ERROR(ValidateFields(schema.fields, ids));
  for (FieldId id : schema.identifier_field_ids) {
    if (!ids.contains(id)) return Error{ErrorCode::kInvalid, "identifier field " + std::to_string(id) + " is not in the schema"};
  }
  return {};
}

}  // namespace sluice::iceberg
