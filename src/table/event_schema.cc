// SPDX-License-Identifier: Apache-2.0
#include "table/event_schema.h"

#include <cctype>

#include "base/check.h"
#include "table/event_columns.h"

namespace sluice::table {
namespace {

iceberg::Type IcebergType(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return iceberg::TypeId::kString;
    case ColumnType::kTimestamp: return iceberg::TypeId::kTimestampTz;
    case ColumnType::kBinary: return iceberg::TypeId::kBinary;
    case ColumnType::kInt: return iceberg::TypeId::kInt;
    case ColumnType::kBoolean: return iceberg::TypeId::kBoolean;
    case ColumnType::kLong: return iceberg::TypeId::kLong;
    case ColumnType::kStringMap:
      return iceberg::Type::Map(kExtensionsKeyFieldId, iceberg::TypeId::kString, kExtensionsValueFieldId, iceberg::TypeId::kString, true);
  }
  base::CheckFailed(__FILE__, __LINE__, "type", "a column type without an Iceberg type");
}

std::string_view Trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front())) != 0) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back())) != 0) s.remove_suffix(1);
  return s;
}

std::string FieldName(const std::string& column, const iceberg::Transform& transform) {
  switch (transform.kind) {
    case iceberg::TransformKind::kIdentity: return column;
    case iceberg::TransformKind::kBucket: return column + "_bucket";
    case iceberg::TransformKind::kTruncate: return column + "_trunc";
    default: return column + "_" + iceberg::TransformToText(transform);
  }
}

// "hour(time)" -> a partition field without its id.
Result<iceberg::PartitionField> ParseField(std::string_view text, const iceberg::TableSchema& schema) {
  auto refused = [&](const std::string& why) {
    return Error{ErrorCode::kInvalid, "the partitioning \"" + std::string(text) + "\" " + why,
                 "write transforms of columns, for example \"identity(type), day(time)\"; transforms: identity, year, month, day, hour, "
                 "bucket[N], truncate[N]"};
  };
  auto open = text.find('(');
  if (open == std::string_view::npos || text.back() != ')') return refused("is no transform of a column");
  iceberg::PartitionField field;
  field.transform = iceberg::ParseTransform(Trim(text.substr(0, open)));
  const std::string column(Trim(text.substr(open + 1, text.size() - open - 2)));
  auto* source = schema.FindByName(column);
  if (source == nullptr) return refused("names the column \"" + column + "\", which the table does not have");
  if (auto possible = iceberg::CheckTransform(field.transform, source->type); !possible.ok())
    return refused("is not possible: " + possible.error().message);
  field.source_id = source->id;
  field.name = FieldName(column, field.transform);
  return field;
}

}  // namespace

iceberg::TableSchema EventTableSchema() {
  iceberg::TableSchema schema;
  for (auto& column : EventColumns()) {
    iceberg::NestedField field;
    field.id = column.field_id();
    field.name = column.name;
    field.type = IcebergType(column.type);
    field.required = column.required;
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

Result<iceberg::PartitionSpec> ParsePartitioning(std::string_view text) {
  const auto schema = EventTableSchema();
  iceberg::PartitionSpec spec;
  while (!Trim(text).empty()) {
    auto comma = text.find(',');
    ASSIGN_OR_RETURN(auto field, ParseField(Trim(text.substr(0, comma)), schema));
    field.field_id = iceberg::kPartitionFieldIdFirst + static_cast<iceberg::FieldId>(spec.fields.size());
    for (auto& other : spec.fields)
      if (other.name == field.name) return Error{ErrorCode::kInvalid, "the partitioning has the field \"" + field.name + "\" twice", {}};
    spec.fields.push_back(std::move(field));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return spec;
}

std::map<std::string, std::string> EventTableProperties() {
  return {
      {"write.format.default", "parquet"},
      {"write.parquet.compression-codec", "zstd"},
      {"write.parquet.bloom-filter-enabled.column.id", "true"},  // looking up one event opens one row group
      // Nobody looks for a range of payloads: bounds would only make manifests and files larger.
      {"write.metadata.metrics.column.data", "counts"},
      {"write.metadata.metrics.column.data_binary", "counts"},
      {"write.parquet.stats-enabled.column.data", "false"},
      {"write.parquet.stats-enabled.column.data_binary", "false"},
      {"write.metadata.delete-after-commit.enabled", "true"},
      {"write.metadata.previous-versions-max", "20"},
  };
}

}  // namespace sluice::table
