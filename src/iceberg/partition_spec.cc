// SPDX-License-Identifier: Apache-2.0
#include "iceberg/partition_spec.h"

#include <cctype>

namespace sluice::iceberg {
namespace {

// As Java's URLEncoder does: letters, digits and ".-*_" stay, a blank is "+".
std::string UrlEncode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '-' || c == '*' || c == '_')) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xF];
    }
  }
  return out;
}

Result<PartitionField> FieldFromJson(const Json& json, FieldId id_if_missing) {
  PartitionField field;
  const Json* source = json.Find("source-id");
  if (source == nullptr && json["source-ids"].AsArray().size() == 1) source = &json["source-ids"].AsArray()[0];
  if (source == nullptr || !source->is_int()) return Error{ErrorCode::kInvalid, "\"source-id\" of a partition field is missing"};
  field.source_id = static_cast<FieldId>(source->AsInt());
  field.field_id = static_cast<FieldId>(json["field-id"].AsInt(id_if_missing));
  ASSIGN_OR_RETURN(std::string transform, json.RequireString("transform"));
  field.transform = ParseTransform(transform);
  ASSIGN_OR_RETURN(field.name, json.RequireString("name"));
  return field;
}

Result<SortField> SortFieldFromJson(const Json& json) {
  SortField field;
  ASSIGN_OR_RETURN(int64_t source, json.RequireInt("source-id"));
  field.source_id = static_cast<FieldId>(source);
  ASSIGN_OR_RETURN(std::string transform, json.RequireString("transform"));
  field.transform = ParseTransform(transform);
  field.ascending = json["direction"].AsString() != "desc";
  field.nulls_first = json["null-order"].AsString() != "nulls-last";
  return field;
}

}  // namespace

Type PartitionType(const PartitionSpec& spec, const TableSchema& schema) {
  std::vector<NestedField> fields;
  for (const PartitionField& field : spec.fields) {
    const NestedField* source = schema.FindById(field.source_id);
    Type type = source == nullptr ? Type(TypeId::kString) : TransformResult(field.transform, source->type);
    fields.push_back({field.field_id, field.name, std::move(type)});
  }
  return Type::Struct(std::move(fields));
}

Result<void> CheckPartitionSpec(const PartitionSpec& spec, const TableSchema& schema) {
  for (const PartitionField& field : spec.fields) {
    if (field.transform.kind == TransformKind::kVoid) continue;
    const NestedField* source = schema.FindById(field.source_id);
    if (source == nullptr)
      return Error{ErrorCode::kInvalid, "partition field \"" + field.name + "\" has no column: field id " + std::to_string(field.source_id)};
    RETURN_IF_ERROR(CheckTransform(field.transform, source->type));
  }
  return {};
}

std::string PartitionPath(const PartitionSpec& spec, const Type& type, const PartitionValue& partition) {
  CHECK(partition.size() == spec.fields.size() && type.fields.size() == partition.size(), "a partition value of another spec");
  std::string path;
  for (size_t i = 0; i < spec.fields.size(); i++) {
    if (i > 0) path += '/';
    path += UrlEncode(spec.fields[i].name) + "=" +
            UrlEncode(PartitionValueToText(spec.fields[i].transform, partition[i], type.fields[i].type));
  }
  return path;
}

Result<std::vector<PartitionField>> PartitionFieldsFromJson(const Json& list) {
  if (!list.is_array()) return Error{ErrorCode::kInvalid, "the fields of a partition spec are no array"};
  std::vector<PartitionField> fields;
  for (const Json& item : list.AsArray()) {
    ASSIGN_OR_RETURN(PartitionField field, FieldFromJson(item, kPartitionFieldIdFirst + static_cast<FieldId>(fields.size())));
    fields.push_back(std::move(field));
  }
  return fields;
}

Json PartitionFieldsToJson(const std::vector<PartitionField>& fields) {
  Json list = Json::MakeArray();
  for (const PartitionField& field : fields) {
    Json json;
    json.Set("source-id", field.source_id);
    json.Set("field-id", field.field_id);
    json.Set("transform", TransformToText(field.transform));
    json.Set("name", field.name);
    list.Append(std::move(json));
  }
  return list;
}

Result<PartitionSpec> PartitionSpecFromJson(const Json& json) {
  PartitionSpec spec;
  ASSIGN_OR_RETURN(int64_t id, json.RequireInt("spec-id"));
  spec.spec_id = static_cast<SpecId>(id);
  ASSIGN_OR_RETURN(spec.fields, PartitionFieldsFromJson(json["fields"]));
  return spec;
}

Json PartitionSpecToJson(const PartitionSpec& spec) {
  Json json;
  json.Set("spec-id", spec.spec_id);
  json.Set("fields", PartitionFieldsToJson(spec.fields));
  return json;
}

Result<SortOrder> SortOrderFromJson(const Json& json) {
  SortOrder order;
  ASSIGN_OR_RETURN(int64_t id, json.RequireInt("order-id"));
  order.order_id = static_cast<int32_t>(id);
  for (const Json& item : json["fields"].AsArray()) {
    ASSIGN_OR_RETURN(SortField field, SortFieldFromJson(item));
    order.fields.push_back(std::move(field));
  }
  return order;
}

Json SortOrderToJson(const SortOrder& order) {
  Json list = Json::MakeArray();
  for (const SortField& field : order.fields) {
    Json json;
    json.Set("transform", TransformToText(field.transform));
    json.Set("source-id", field.source_id);
    json.Set("direction", field.ascending ? "asc" : "desc");
    json.Set("null-order", field.nulls_first ? "nulls-first" : "nulls-last");
    list.Append(std::move(json));
  }
  Json json;
  json.Set("order-id", order.order_id);
  json.Set("fields", std::move(list));
  return json;
}

}  // namespace sluice::iceberg
