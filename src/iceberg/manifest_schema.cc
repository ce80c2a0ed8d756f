// SPDX-License-Identifier: Apache-2.0
//
// The Avro schemas of manifests and manifest lists.

#include "iceberg/internal/partition_avro.h"
#include "iceberg/manifest_format.h"

namespace sluice::iceberg {
namespace {

namespace id = manifest_field;

Json Object(std::initializer_list<std::pair<const char*, Json>> members) {
  Json json = Json::MakeObject();
  for (const auto& [name, value] : members) json.Set(name, value);
  return json;
}

Json Required(const char* name, int32_t field_id, Json type) {
  return Object({{"name", name}, {"type", std::move(type)}, {"field-id", field_id}});
}

Json Optional(const char* name, int32_t field_id, Json type) {
  Json json = Object({{"name", name}, {"type", Json(Json::Array{Json("null"), std::move(type)})}});
  json.Set("default", Json());
  json.Set("field-id", field_id);
  return json;
}

Json Record(const char* name, Json::Array fields) {
  return Object({{"type", "record"}, {"name", name}, {"fields", Json(std::move(fields))}});
}

// A map whose keys are no strings: an array of key-value records.
Json MapById(int32_t key_id, int32_t value_id, const char* value_type) {
  std::string name = "k" + std::to_string(key_id) + "_v" + std::to_string(value_id);
  return Object({{"type", "array"},
                 {"logicalType", "map"},
                 {"items", Record(name.c_str(), {Required("key", key_id, "int"), Required("value", value_id, value_type)})}});
}

Json List(int32_t element_id, Json items) {
  return Object({{"type", "array"}, {"element-id", element_id}, {"items", std::move(items)}});
}

Json DataFileRecord(const Type& partition) {
  return Record("r2", {
      Required("content", id::kContent, "int"),
      Required("file_path", id::kFilePath, "string"),
      Required("file_format", id::kFileFormat, "string"),
      Required("partition", id::kPartition, PartitionAvroSchema(partition)),
      Required("record_count", id::kRecordCount, "long"),
      Required("file_size_in_bytes", id::kFileSize, "long"),
      Optional("column_sizes", id::kColumnSizes, MapById(117, 118, "long")),
      Optional("value_counts", id::kValueCounts, MapById(119, 120, "long")),
      Optional("null_value_counts", id::kNullValueCounts, MapById(121, 122, "long")),
      Optional("nan_value_counts", id::kNanValueCounts, MapById(138, 139, "long")),
      Optional("lower_bounds", id::kLowerBounds, MapById(126, 127, "bytes")),
      Optional("upper_bounds", id::kUpperBounds, MapById(129, 130, "bytes")),
      Optional("key_metadata", id::kKeyMetadata, "bytes"),
      Optional("split_offsets", id::kSplitOffsets, List(133, "long")),
      Optional("equality_ids", id::kEqualityIds, List(136, "int")),
      Optional("sort_order_id", id::kSortOrderId, "int"),
      Optional("referenced_data_file", id::kReferencedDataFile, "string"),
  });
}

}  // namespace

Json ManifestAvroSchema(const Type& partition) {
  return Record("manifest_entry", {
      Required("status", id::kStatus, "int"),
      Optional("snapshot_id", id::kSnapshotId, "long"),
      Optional("sequence_number", id::kSequenceNumber, "long"),
      Optional("file_sequence_number", id::kFileSequenceNumber, "long"),
      Required("data_file", id::kDataFile, DataFileRecord(partition)),
  });
}

Json ManifestListAvroSchema() {
  Json summary = Record("r508", {
      Required("contains_null", id::kContainsNull, "boolean"),
      Optional("contains_nan", id::kContainsNan, "boolean"),
      Optional("lower_bound", id::kLowerBound, "bytes"),
      Optional("upper_bound", id::kUpperBound, "bytes"),
  });
  return Record("manifest_file", {
      Required("manifest_path", id::kManifestPath, "string"),
      Required("manifest_length", id::kManifestLength, "long"),
      Required("partition_spec_id", id::kPartitionSpecId, "int"),
      Required("content", id::kListContent, "int"),
      Required("sequence_number", id::kListSequenceNumber, "long"),
      Required("min_sequence_number", id::kMinSequenceNumber, "long"),
      Required("added_snapshot_id", id::kAddedSnapshotId, "long"),
      Required("added_files_count", id::kAddedFiles, "int"),
      Required("existing_files_count", id::kExistingFiles, "int"),
      Required("deleted_files_count", id::kDeletedFiles, "int"),
      Required("added_rows_count", id::kAddedRows, "long"),
      Required("existing_rows_count", id::kExistingRows, "long"),
      Required("deleted_rows_count", id::kDeletedRows, "long"),
      Optional("partitions", id::kPartitions, List(508, std::move(summary))),
      Optional("key_metadata", id::kListKeyMetadata, "bytes"),
  });
}

}  // namespace sluice::iceberg
