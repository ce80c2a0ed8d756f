// SPDX-License-Identifier: Apache-2.0
//
// Schemas as JSON: Iceberg table spec, appendix C.

#include <charconv>

#include "iceberg/schema.h"

namespace sluice::iceberg {
namespace {

struct TypeName {
  TypeId id;
  std::string_view name;
};

constexpr TypeName kTypeNames[] = {
    {TypeId::kBoolean, "boolean"}, {TypeId::kInt, "int"},         {TypeId::kLong, "long"},
    {TypeId::kFloat, "float"},     {TypeId::kDouble, "double"},   {TypeId::kDecimal, "decimal"},
    {TypeId::kDate, "date"},       {TypeId::kTime, "time"},       {TypeId::kTimestamp, "timestamp"},
    {TypeId::kTimestampTz, "timestamptz"}, {TypeId::kString, "string"}, {TypeId::kUuid, "uuid"},
    {TypeId::kFixed, "fixed"},     {TypeId::kBinary, "binary"},   {TypeId::kStruct, "struct"},
    {TypeId::kList, "list"},       {TypeId::kMap, "map"},
};

constexpr int32_t kDecimalPrecisionMax = 38;

std::string_view NameOf(TypeId id) {
  for (const TypeName& type : kTypeNames) {
    if (type.id == id) return type.name;
  }
  return "unknown";
}

Error UnknownType(const std::string& text) {
  return Error{ErrorCode::kInvalid, "unknown type \"" + text + "\"", "types of format version 3 are not supported"};
}

// Reads "<open>int<close>" or "<open>int,int<close>" (blanks allowed after the comma) from the rest of a type's name.
bool ParseArguments(std::string_view text, char open, char close, int32_t* first, int32_t* second) {
  if (text.size() < 2 || text.front() != open || text.back() != close) return false;
  const char* at = text.data() + 1;
  const char* end = text.data() + text.size() - 1;
  auto number = [&](int32_t* to) {
    while (at < end && *at == ' ') at++;
    auto [next, error] = std::from_chars(at, end, *to);
    if (error != std::errc()) return false;
    at = next;
    while (at < end && *at == ' ') at++;
    return true;
  };
  if (!number(first)) return false;
  if (second == nullptr) return at == end;
  return at < end && *at++ == ',' && number(second) && at == end;
}

Result<Type> PrimitiveFromText(const std::string& text) {
  if (text.starts_with("decimal")) {
    Type type(TypeId::kDecimal);
    if (!ParseArguments(std::string_view(text).substr(7), '(', ')', &type.precision, &type.scale)) return UnknownType(text);
    if (type.precision < 1 || type.precision > kDecimalPrecisionMax || type.scale < 0 || type.scale > type.precision)
      return Error{ErrorCode::kInvalid, "\"" + text + "\" has a precision or scale out of range"};
    return type;
  }
  if (text.starts_with("fixed")) {
    Type type(TypeId::kFixed);
    if (!ParseArguments(std::string_view(text).substr(5), '[', ']', &type.length, nullptr) || type.length < 0) return UnknownType(text);
    return type;
  }
  for (const TypeName& type : kTypeNames) {
    if (type.name == text && type.id < TypeId::kStruct) return Type(type.id);
  }
  return UnknownType(text);
}

Result<FieldId> RequireId(const Json& json, std::string_view name) {
  ASSIGN_OR_RETURN(int64_t id, json.RequireInt(name));
  if (id <= 0 || id > INT32_MAX) return Error{ErrorCode::kInvalid, "\"" + std::string(name) + "\" is no field id: " + std::to_string(id)};
  return static_cast<FieldId>(id);
}

Result<NestedField> FieldFromJson(const Json& json) {
  NestedField field;
  ASSIGN_OR_RETURN(field.id, RequireId(json, "id"));
  ASSIGN_OR_RETURN(field.name, json.RequireString("name"));
  auto type = TypeFromJson(json["type"]);
  if (!type.ok()) return type.error().While("reading field \"" + field.name + "\"");
  field.type = std::move(*type);
  field.required = json["required"].AsBool();
  field.doc = json["doc"].AsString();
  field.initial_default = json["initial-default"];
  field.write_default = json["write-default"];
  return field;
}

Result<std::vector<NestedField>> FieldsFromJson(const Json& json) {
  ASSIGN_OR_RETURN(const Json* list, json.RequireArray("fields"));
  std::vector<NestedField> fields;
  for (const Json& item : list->AsArray()) {
    ASSIGN_OR_RETURN(NestedField field, FieldFromJson(item));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Type> ListFromJson(const Json& json) {
  ASSIGN_OR_RETURN(FieldId id, RequireId(json, "element-id"));
  ASSIGN_OR_RETURN(Type element, TypeFromJson(json["element"]));
  return Type::List(id, std::move(element), json["element-required"].AsBool());
}

Result<Type> MapFromJson(const Json& json) {
  ASSIGN_OR_RETURN(FieldId key_id, RequireId(json, "key-id"));
  ASSIGN_OR_RETURN(Type key, TypeFromJson(json["key"]));
  ASSIGN_OR_RETURN(FieldId value_id, RequireId(json, "value-id"));
  ASSIGN_OR_RETURN(Type value, TypeFromJson(json["value"]));
  return Type::Map(key_id, std::move(key), value_id, std::move(value), json["value-required"].AsBool());
}

Json FieldsToJson(const std::vector<NestedField>& fields) {
  Json list = Json::MakeArray();
  for (const NestedField& field : fields) {
    Json json;
    json.Set("id", field.id);
    json.Set("name", field.name);
    json.Set("required", field.required);
    json.Set("type", TypeToJson(field.type));
    if (!field.doc.empty()) json.Set("doc", field.doc);
    if (!field.initial_default.is_null()) json.Set("initial-default", field.initial_default);
    if (!field.write_default.is_null()) json.Set("write-default", field.write_default);
    list.Append(std::move(json));
  }
  return list;
}

}  // namespace

std::string Type::ToString() const {
  if (id == TypeId::kDecimal) return "decimal(" + std::to_string(precision) + ", " + std::to_string(scale) + ")";
  if (id == TypeId::kFixed) return "fixed[" + std::to_string(length) + "]";
  return std::string(NameOf(id));
}

Result<Type> TypeFromJson(const Json& json) {
  if (json.is_string()) return PrimitiveFromText(json.AsString());
  const std::string& kind = json["type"].AsString();
  if (kind == "list") return ListFromJson(json);
  if (kind == "map") return MapFromJson(json);
  if (kind != "struct") return UnknownType(kind);
  ASSIGN_OR_RETURN(auto fields, FieldsFromJson(json));
  return Type::Struct(std::move(fields));
}

Json TypeToJson(const Type& type) {
  if (type.is_primitive()) return Json(type.ToString());
  Json json;
  json.Set("type", type.ToString());
  if (type.id == TypeId::kStruct) {
    json.Set("fields", FieldsToJson(type.fields));
  } else if (type.id == TypeId::kList) {
    json.Set("element-id", type.element().id);
    json.Set("element", TypeToJson(type.element().type));
    json.Set("element-required", type.element().required);
  } else {
    json.Set("key-id", type.key().id);
    json.Set("key", TypeToJson(type.key().type));
    json.Set("value-id", type.value().id);
    json.Set("value", TypeToJson(type.value().type));
    json.Set("value-required", type.value().required);
  }
  return json;
}

Result<TableSchema> SchemaFromJson(const Json& json) {
  TableSchema schema;
  schema.schema_id = static_cast<SchemaId>(json["schema-id"].AsInt());
  ASSIGN_OR_RETURN(schema.fields, FieldsFromJson(json));
  for (const Json& id : json["identifier-field-ids"].AsArray()) schema.identifier_field_ids.push_back(static_cast<FieldId>(id.AsInt()));
  RETURN_IF_ERROR(ValidateSchema(schema));
  return schema;
}

Json SchemaToJson(const TableSchema& schema) {
  Json json;
  json.Set("type", "struct");
  json.Set("schema-id", schema.schema_id);
  json.Set("fields", FieldsToJson(schema.fields));
  Json ids = Json::MakeArray();
  for (FieldId id : schema.identifier_field_ids) ids.Append(id);
  if (!schema.identifier_field_ids.empty()) json.Set("identifier-field-ids", std::move(ids));
  return json;
}

}  // namespace sluice::iceberg
