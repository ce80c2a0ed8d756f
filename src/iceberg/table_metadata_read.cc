// SPDX-License-Identifier: Apache-2.0
//
// metadata.json -> TableMetadata. Version 1 files are read into the shape of version 2, their version is kept.

#include <algorithm>
#include <array>

#include "iceberg/internal/compression.h"
#include "iceberg/internal/metadata_file.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {
namespace {

constexpr int32_t kFormatVersionReadMax = 2;
constexpr SnapshotId kNoSnapshot = -1;  // what Java writes for "none"

constexpr std::array<std::string_view, 26> kMembers = {
    "format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms", "last-column-id", "schemas", "schema",
    "current-schema-id", "partition-specs", "partition-spec", "default-spec-id", "last-partition-id", "sort-orders",
    "default-sort-order-id", "properties", "current-snapshot-id", "snapshots", "snapshot-log", "metadata-log", "refs", "statistics",
    "partition-statistics", "next-row-id", "encryption-keys", kMetadataChecksum};
constexpr std::array<std::string_view, 8> kSnapshotMembers = {"snapshot-id", "parent-snapshot-id", "sequence-number", "timestamp-ms",
                                                              "manifest-list", "manifests", "schema-id", "summary"};

Error Broken(std::string message) { return Error{ErrorCode::kCorruption, std::move(message)}; }

template <size_t N>
Json::Object UnknownMembers(const Json& json, const std::array<std::string_view, N>& known) {
  Json::Object unknown;
  for (const auto& member : json.AsObject()) {
    if (std::find(known.begin(), known.end(), member.first) == known.end()) unknown.push_back(member);
  }
  return unknown;
}

Properties PropertiesFromJson(const Json& json) {
  Properties properties;
  for (const auto& [name, value] : json.AsObject()) properties[name] = value.is_string() ? value.AsString() : value.Dump();
  return properties;
}

std::optional<int64_t> OptionalInt(const Json& json) {
  return json.is_int() ? std::optional<int64_t>(json.AsInt()) : std::nullopt;
}

Result<void> ReadSchemaList(const Json& json, TableMetadata& out) {
  if (json.Find("schemas") == nullptr && out.format_version == 1) {
    ASSIGN_OR_RETURN(TableSchema schema, SchemaFromJson(json["schema"]));
    out.current_schema_id = schema.schema_id;
    out.schemas.push_back(std::move(schema));
    return {};
  }
  ASSIGN_OR_RETURN(const Json* list, json.RequireArray("schemas"));
  for (const Json& item : list->AsArray()) {
    ASSIGN_OR_RETURN(TableSchema schema, SchemaFromJson(item));
    out.schemas.push_back(std::move(schema));
  }
  ASSIGN_OR_RETURN(int64_t current, json.RequireInt("current-schema-id"));
  out.current_schema_id = static_cast<SchemaId>(current);
  if (out.FindSchema(out.current_schema_id) == nullptr)
    return Broken("\"current-schema-id\" " + std::to_string(current) + " is not in \"schemas\"");
  return {};
}

// Ids that a careless writer did not count must not be given again.
Result<void> ReadSchemas(const Json& json, TableMetadata& out) {
  RETURN_IF_ERROR(ReadSchemaList(json, out));
  for (const TableSchema& schema : out.schemas) out.last_column_id = std::max(out.last_column_id, schema.HighestFieldId());
  return {};
}

FieldId HighestPartitionId(const TableMetadata& metadata) {
  FieldId highest = kPartitionFieldIdFirst - 1;
  for (const PartitionSpec& spec : metadata.partition_specs) {
    for (const PartitionField& field : spec.fields) highest = std::max(highest, field.field_id);
  }
  return highest;
}

Result<void> ReadSpecs(const Json& json, TableMetadata& out) {
  if (json.Find("partition-specs") == nullptr && out.format_version == 1) {
    ASSIGN_OR_RETURN(auto fields, PartitionFieldsFromJson(json["partition-spec"]));
    out.partition_specs.push_back({0, std::move(fields)});
    out.last_partition_id = HighestPartitionId(out);
    return {};
  }
  ASSIGN_OR_RETURN(const Json* list, json.RequireArray("partition-specs"));
  for (const Json& item : list->AsArray()) {
    ASSIGN_OR_RETURN(PartitionSpec spec, PartitionSpecFromJson(item));
    out.partition_specs.push_back(std::move(spec));
  }
  ASSIGN_OR_RETURN(int64_t id, json.RequireInt("default-spec-id"));
  out.default_spec_id = static_cast<SpecId>(id);
  if (out.FindSpec(out.default_spec_id) == nullptr)
    return Broken("\"default-spec-id\" " + std::to_string(id) + " is not in \"partition-specs\"");
  out.last_partition_id = HighestPartitionId(out);
  if (out.format_version == 1) return {};
  ASSIGN_OR_RETURN(int64_t last, json.RequireInt("last-partition-id"));
  out.last_partition_id = std::max(out.last_partition_id, static_cast<FieldId>(last));
  return {};
}

Result<void> ReadOrders(const Json& json, TableMetadata& out) {
  if (json.Find("sort-orders") == nullptr && out.format_version == 1) {
    out.sort_orders.push_back({});
    return {};
  }
  ASSIGN_OR_RETURN(const Json* list, json.RequireArray("sort-orders"));
  ASSIGN_OR_RETURN(int64_t id, json.RequireInt("default-sort-order-id"));
  out.default_sort_order_id = static_cast<int32_t>(id);
  bool found = false;
  for (const Json& item : list->AsArray()) {
    ASSIGN_OR_RETURN(SortOrder order, SortOrderFromJson(item));
    found = found || order.order_id == out.default_sort_order_id;
    out.sort_orders.push_back(std::move(order));
  }
  if (!found) return Broken("\"default-sort-order-id\" " + std::to_string(id) + " is not in \"sort-orders\"");
  return {};
}

Result<Snapshot> SnapshotFromJson(const Json& json, int32_t format_version) {
  Snapshot snapshot;
  ASSIGN_OR_RETURN(snapshot.snapshot_id, json.RequireInt("snapshot-id"));
  snapshot.parent_snapshot_id = OptionalInt(json["parent-snapshot-id"]);
  snapshot.sequence_number = json["sequence-number"].AsInt();
  ASSIGN_OR_RETURN(snapshot.timestamp_ms, json.RequireInt("timestamp-ms"));
  if (format_version > 1 || json.Find("manifests") == nullptr) {
    ASSIGN_OR_RETURN(snapshot.manifest_list, json.RequireString("manifest-list"));
  }
  for (const Json& path : json["manifests"].AsArray()) snapshot.manifests.push_back(path.AsString());
  if (auto id = OptionalInt(json["schema-id"])) snapshot.schema_id = static_cast<SchemaId>(*id);
  snapshot.summary = PropertiesFromJson(json["summary"]);
  snapshot.unknown = UnknownMembers(json, kSnapshotMembers);
  return snapshot;
}

Result<SnapshotRef> RefFromJson(const Json& json) {
  SnapshotRef ref;
  ASSIGN_OR_RETURN(ref.snapshot_id, json.RequireInt("snapshot-id"));
  ASSIGN_OR_RETURN(std::string type, json.RequireString("type"));
  ref.is_branch = type != "tag";
  ref.min_snapshots_to_keep = OptionalInt(json["min-snapshots-to-keep"]);
  ref.max_snapshot_age_ms = OptionalInt(json["max-snapshot-age-ms"]);
  ref.max_ref_age_ms = OptionalInt(json["max-ref-age-ms"]);
  return ref;
}

Result<void> ReadSnapshots(const Json& json, TableMetadata& out) {
  for (const Json& item : json["snapshots"].AsArray()) {
    ASSIGN_OR_RETURN(Snapshot snapshot, SnapshotFromJson(item, out.format_version));
    out.snapshots.push_back(std::move(snapshot));
  }
  int64_t current = json["current-snapshot-id"].AsInt(kNoSnapshot);
  if (current != kNoSnapshot) out.current_snapshot_id = current;
  if (current != kNoSnapshot && out.current_snapshot() == nullptr)
    return Broken("\"current-snapshot-id\" " + std::to_string(current) + " is not in \"snapshots\"");
  return {};
}

Result<void> ReadRefs(const Json& json, TableMetadata& out) {
  for (const auto& [name, item] : json["refs"].AsObject()) {
    ASSIGN_OR_RETURN(SnapshotRef ref, RefFromJson(item));
    if (out.FindSnapshot(ref.snapshot_id) == nullptr)
      return Broken("ref \"" + name + "\" names snapshot " + std::to_string(ref.snapshot_id) + ", which is not in \"snapshots\"");
    out.refs[name] = ref;
  }
  auto main = out.refs.find(std::string(kMainBranch));
  if (main == out.refs.end()) {
    if (out.current_snapshot_id) out.refs[std::string(kMainBranch)] = SnapshotRef{*out.current_snapshot_id};
    return {};
  }
  if (out.current_snapshot_id != main->second.snapshot_id)
    return Broken("\"refs\" says that main is snapshot " + std::to_string(main->second.snapshot_id) + ", \"current-snapshot-id\" says another");
  return {};
}

Result<void> ReadLogs(const Json& json, TableMetadata& out) {
  for (const Json& item : json["snapshot-log"].AsArray()) {
    ASSIGN_OR_RETURN(int64_t time, item.RequireInt("timestamp-ms"));
    ASSIGN_OR_RETURN(int64_t id, item.RequireInt("snapshot-id"));
    out.snapshot_log.push_back({time, id});
  }
  for (const Json& item : json["metadata-log"].AsArray()) {
    ASSIGN_OR_RETURN(int64_t time, item.RequireInt("timestamp-ms"));
    ASSIGN_OR_RETURN(std::string file, item.RequireString("metadata-file"));
    out.metadata_log.push_back({time, std::move(file)});
  }
  return {};
}

Result<void> ReadVersion(const Json& json, TableMetadata& out) {
  ASSIGN_OR_RETURN(int64_t version, json.RequireInt("format-version"));
  if (version < 1 || version > kFormatVersionReadMax)
    return Error{ErrorCode::kInvalid, "format version " + std::to_string(version) + " is not supported", "this release reads versions 1 and 2"};
  out.format_version = static_cast<int32_t>(version);
  return {};
}

Result<TableMetadata> FromJson(const Json& json) {
  TableMetadata out;
  RETURN_IF_ERROR(ReadVersion(json, out));
  bool is_v1 = out.format_version == 1;
  if (!is_v1 || json.Find("table-uuid") != nullptr) {
    ASSIGN_OR_RETURN(out.table_uuid, json.RequireString("table-uuid"));
  }
  ASSIGN_OR_RETURN(out.location, json.RequireString("location"));
  if (!is_v1) {
    ASSIGN_OR_RETURN(out.last_sequence_number, json.RequireInt("last-sequence-number"));
  }
  ASSIGN_OR_RETURN(out.last_updated_ms, json.RequireInt("last-updated-ms"));
  ASSIGN_OR_RETURN(int64_t last_column, json.RequireInt("last-column-id"));
  out.last_column_id = static_cast<FieldId>(last_column);
  RETURN_IF_ERROR(ReadSchemas(json, out));
  RETURN_IF_ERROR(ReadSpecs(json, out));
  RETURN_IF_ERROR(ReadOrders(json, out));
  out.properties = PropertiesFromJson(json["properties"]);
  RETURN_IF_ERROR(ReadSnapshots(json, out));
  RETURN_IF_ERROR(ReadLogs(json, out));
  RETURN_IF_ERROR(ReadRefs(json, out));
  out.statistics = json["statistics"];
  out.partition_statistics = json["partition-statistics"];
  out.unknown = UnknownMembers(json, kMembers);
  return out;
}

// False: it was written here, and is not what was written.
bool IsAsWritten(const Json& json) {
  const Json* sum = json.Find(kMetadataChecksum);
  if (sum == nullptr || !sum->AsString().starts_with(std::to_string(json["last-updated-ms"].AsInt()) + ":")) return true;
  Json rest = json;
  rest.Erase(kMetadataChecksum);
  return ChecksumOfMetadata(rest) == sum->AsString();
}

bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1F\x8B"); }

}  // namespace

Result<TableMetadata> ParseTableMetadata(std::string_view bytes, const std::string& file) {
  std::string plain;
  if (IsGzip(bytes)) {
    auto unpacked = Gunzip(bytes, kMetadataBytesMax);
    if (!unpacked.ok()) return unpacked.error().While("reading \"" + file + "\"");
    plain = std::move(*unpacked);
    bytes = plain;
  }
  auto json = Json::Parse(bytes);
  if (!json.ok()) return Broken(json.error().message).While("reading \"" + file + "\"");
  if (!IsAsWritten(*json)) return Broken("its checksum is another one").While("reading \"" + file + "\"");
  auto metadata = FromJson(*json);
  if (metadata.ok()) return metadata;
  Error error = metadata.error();
  // Members that are missing or wrong are damage here, whatever they are to a caller who sends JSON; only what a newer
  // version of the format may hold is not.
  if (error.code == ErrorCode::kInvalid && error.hint.empty()) error.code = ErrorCode::kCorruption;
  return error.While("reading \"" + file + "\"");
}

}  // namespace sluice::iceberg
