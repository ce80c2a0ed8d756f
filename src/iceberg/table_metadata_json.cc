// SPDX-License-Identifier: Apache-2.0
//
// TableMetadata -> metadata.json.

#include "base/bytes.h"
#include "iceberg/internal/metadata_file.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {
namespace {

Json PropertiesToJson(const Properties& properties) {
  Json json = Json::MakeObject();
  for (const auto& [name, value] : properties) json.Set(name, value);
  return json;
}

template <class T, class ToJson>
Json ListToJson(const std::vector<T>& items, ToJson to_json) {
  Json list = Json::MakeArray();
  for (const T& item : items) list.Append(to_json(item));
  return list;
}

Json RefsToJson(const TableMetadata& metadata) {
  Json refs = Json::MakeObject();
  for (const auto& [name, ref] : metadata.refs) {
    Json json;
    json.Set("snapshot-id", ref.snapshot_id);
    json.Set("type", ref.is_branch ? "branch" : "tag");
    if (ref.min_snapshots_to_keep) json.Set("min-snapshots-to-keep", *ref.min_snapshots_to_keep);
    if (ref.max_snapshot_age_ms) json.Set("max-snapshot-age-ms", *ref.max_snapshot_age_ms);
    if (ref.max_ref_age_ms) json.Set("max-ref-age-ms", *ref.max_ref_age_ms);
    refs.Set(name, std::move(json));
  }
  return refs;
}

void SetSnapshots(const TableMetadata& metadata, Json& json) {
  if (metadata.current_snapshot_id) json.Set("current-snapshot-id", *metadata.current_snapshot_id);
  json.Set("refs", RefsToJson(metadata));
  json.Set("snapshots", ListToJson(metadata.snapshots, [&](const Snapshot& s) { return SnapshotToJson(s, metadata.format_version); }));
  if (!metadata.statistics.is_null()) json.Set("statistics", metadata.statistics);
  if (!metadata.partition_statistics.is_null()) json.Set("partition-statistics", metadata.partition_statistics);
  json.Set("snapshot-log", ListToJson(metadata.snapshot_log, [](const SnapshotLogEntry& entry) {
             Json item;
             item.Set("timestamp-ms", entry.timestamp_ms);
             item.Set("snapshot-id", entry.snapshot_id);
             return item;
           }));
  json.Set("metadata-log", ListToJson(metadata.metadata_log, [](const MetadataLogEntry& entry) {
             Json item;
             item.Set("timestamp-ms", entry.timestamp_ms);
             item.Set("metadata-file", entry.metadata_file);
             return item;
           }));
}

}  // namespace

Json SnapshotToJson(const Snapshot& snapshot, int32_t format_version) {
  Json json;
  if (format_version > 1) json.Set("sequence-number", snapshot.sequence_number);
  json.Set("snapshot-id", snapshot.snapshot_id);
  if (snapshot.parent_snapshot_id) json.Set("parent-snapshot-id", *snapshot.parent_snapshot_id);
  json.Set("timestamp-ms", snapshot.timestamp_ms);
  if (!snapshot.summary.empty()) json.Set("summary", PropertiesToJson(snapshot.summary));
  if (!snapshot.manifest_list.empty()) json.Set("manifest-list", snapshot.manifest_list);
  if (!snapshot.manifests.empty()) json.Set("manifests", ListToJson(snapshot.manifests, [](const std::string& path) { return Json(path); }));
  if (snapshot.schema_id) json.Set("schema-id", *snapshot.schema_id);
  for (const auto& [name, value] : snapshot.unknown) json.Set(name, value);
  return json;
}

std::string SerializeTableMetadata(const TableMetadata& metadata) {
  CHECK(metadata.format_version == kFormatVersionWritten, "only format version 2 is written");
  Json json;
  json.Set("format-version", metadata.format_version);
  json.Set("table-uuid", metadata.table_uuid);
  json.Set("location", metadata.location);
  json.Set("last-sequence-number", metadata.last_sequence_number);
  json.Set("last-updated-ms", metadata.last_updated_ms);
  json.Set("last-column-id", metadata.last_column_id);
  json.Set("current-schema-id", metadata.current_schema_id);
  json.Set("schemas", ListToJson(metadata.schemas, SchemaToJson));
  json.Set("default-spec-id", metadata.default_spec_id);
  json.Set("partition-specs", ListToJson(metadata.partition_specs, PartitionSpecToJson));
  json.Set("last-partition-id", metadata.last_partition_id);
  json.Set("default-sort-order-id", metadata.default_sort_order_id);
  json.Set("sort-orders", ListToJson(metadata.sort_orders, SortOrderToJson));
  json.Set("properties", PropertiesToJson(metadata.properties));
  SetSnapshots(metadata, json);
  for (const auto& [name, value] : metadata.unknown) json.Set(name, value);
  json.Set(kMetadataChecksum, ChecksumOfMetadata(json));
  return json.Dump();
}

std::string ChecksumOfMetadata(const Json& json) {
  std::string crc;
  base::AppendBig(crc, base::Crc32c(json.Dump()));
  return std::to_string(json["last-updated-ms"].AsInt()) + ":" + base::ToHex(crc);
}

}  // namespace sluice::iceberg
