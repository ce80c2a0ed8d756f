// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/definition_change.h"

#include <algorithm>
#include <set>

namespace sluice::iceberg {
namespace {

// Ids above are the format's own columns; the distance is more than one change can use up.
constexpr FieldId kFieldIdLast = INT32_MAX - 1'000'000;

std::string DefaultName(const NewPartitionField& field) {
  std::string column = field.column;
  std::replace(column.begin(), column.end(), '.', '_');
  switch (field.transform.kind) {
    case TransformKind::kIdentity: return column;
    case TransformKind::kBucket: return column + "_bucket_" + std::to_string(field.transform.parameter);
    case TransformKind::kTruncate: return column + "_trunc_" + std::to_string(field.transform.parameter);
    case TransformKind::kVoid: return column + "_null";
    default: return column + "_" + TransformToText(field.transform);
  }
}

std::string NameOf(const NewPartitionField& field) { return field.name.empty() ? DefaultName(field) : field.name; }

// Two fields of one column with the same key say the same twice; readers of other languages refuse such specs.
std::string RedundancyKey(const NewPartitionField& field) {
  bool is_time = field.transform.kind >= TransformKind::kYear && field.transform.kind <= TransformKind::kHour;
  return field.column + " " + (is_time ? "time" : TransformToText(field.transform));
}

// Identity fields may carry their column's name, no other partition field may carry a column's.
Result<void> CheckSpec(const TableSchema& schema, const std::vector<NewPartitionField>& fields) {
  std::set<std::string> names, keys;
  for (const NewPartitionField& field : fields) {
    const NestedField* source = schema.FindByName(field.column);
    if (source == nullptr) return Error{ErrorCode::kInvalid, "partition by \"" + field.column + "\": there is no such column"};
    RETURN_IF_ERROR(CheckTransform(field.transform, source->type));
    if (!keys.insert(RedundancyKey(field)).second)
      return Error{ErrorCode::kInvalid, "two partition fields divide \"" + field.column + "\" in the same way", "hour implies day, month and year"};
    std::string name = NameOf(field);
    if (!names.insert(name).second) return Error{ErrorCode::kInvalid, "two partition fields are named \"" + name + "\""};
    const NestedField* same = schema.FindByName(name);
    if (same != nullptr && (same->id != source->id || field.transform.kind != TransformKind::kIdentity))
      return Error{ErrorCode::kInvalid, "partition field \"" + name + "\" has the name of a column"};
  }
  return {};
}

TableSchema WithColumns(const TableMetadata& base, const std::vector<NewColumn>& columns, FieldId& last) {
  TableSchema schema = base.schema();
  std::vector<NestedField> added;
  for (const NewColumn& column : columns) added.push_back({0, column.name, column.type, false, column.doc});
  AssignFieldIds(added, last);
  for (NestedField& field : added) schema.fields.push_back(std::move(field));
  return schema;
}

// The id that a (column, transform) has in any spec of the table; 0 if in none.
FieldId UsedFieldId(const TableMetadata& table, FieldId source_id, const Transform& transform, const std::string& name) {
  for (const PartitionSpec& spec : table.partition_specs) {
    for (const PartitionField& field : spec.fields) {
      if (field.source_id == source_id && field.transform == transform && field.name == name) return field.field_id;
    }
  }
  return 0;
}

}  // namespace

void AssignFieldIds(std::vector<NestedField>& fields, FieldId& last) {
  for (NestedField& field : fields) field.id = ++last;
  for (NestedField& field : fields) AssignFieldIds(field.type.fields, last);
}

Result<void> CanApplyDefinition(const TableMetadata& base, const TableChange& change) {
  if (base.last_column_id > kFieldIdLast || base.last_partition_id > kFieldIdLast)
    return Error{ErrorCode::kInvalid, "the table has used up its field ids"};
  FieldId last = base.last_column_id;
  TableSchema schema = WithColumns(base, change.add_columns, last);
  RETURN_IF_ERROR(ValidateSchema(schema));
  return change.set_spec ? CheckSpec(schema, *change.set_spec) : Result<void>();
}

void AddColumns(TableMetadata& table, const std::vector<NewColumn>& columns) {
  if (columns.empty()) return;
  TableSchema schema = WithColumns(table, columns, table.last_column_id);
  SchemaId highest = 0;
  for (const TableSchema& older : table.schemas) highest = std::max(highest, older.schema_id);
  schema.schema_id = highest + 1;
  table.current_schema_id = schema.schema_id;
  table.schemas.push_back(std::move(schema));
}

void SetSpec(TableMetadata& table, const std::vector<NewPartitionField>& fields) {
  PartitionSpec spec;
  for (const NewPartitionField& field : fields) {
    FieldId source_id = table.schema().FindByName(field.column)->id;
    FieldId id = UsedFieldId(table, source_id, field.transform, NameOf(field));
    if (id == 0) id = ++table.last_partition_id;
    spec.fields.push_back({source_id, id, field.transform, NameOf(field)});
  }
  SpecId highest = -1;
  for (const PartitionSpec& older : table.partition_specs) {
    highest = std::max(highest, older.spec_id);
    if (older.fields != spec.fields) continue;
    table.default_spec_id = older.spec_id;
    return;
  }
  spec.spec_id = highest + 1;
  table.default_spec_id = spec.spec_id;
  table.partition_specs.push_back(std::move(spec));
}

Result<TableMetadata> MakeTableMetadata(const NewTable& table, int64_t now_ms) {
  TableMetadata metadata;
  metadata.table_uuid = table.table_uuid;
  metadata.location = table.location;
  metadata.last_updated_ms = now_ms;
  TableSchema schema;
  schema.fields = table.fields;
  if (!table.keep_field_ids) AssignFieldIds(schema.fields, metadata.last_column_id);
  RETURN_IF_ERROR(ValidateSchema(schema));
  RETURN_IF_ERROR(CheckSpec(schema, table.partition));
  metadata.last_column_id = schema.HighestFieldId();
  metadata.schemas.push_back(std::move(schema));
  SetSpec(metadata, table.partition);
  metadata.sort_orders.push_back({});
  metadata.properties = table.properties;
  return metadata;
}

}  // namespace sluice::iceberg
