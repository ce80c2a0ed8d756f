// SPDX-License-Identifier: Apache-2.0
#include "iceberg/manifest_reader.h"

#include "iceberg/internal/avro_reader.h"
#include "iceberg/internal/partition_avro.h"

namespace sluice::iceberg {
namespace {

namespace id = manifest_field;

std::optional<int64_t> OptionalInt(const AvroValue& value) {
  return value.is_null() ? std::nullopt : std::optional<int64_t>(value.AsInt(0));
}

std::optional<std::string> OptionalBytes(const AvroValue& value) {
  return value.is_null() ? std::nullopt : std::optional<std::string>(value.AsBytes());
}

// Maps are arrays of records (key, value); those fields are found by name because some writers leave their ids out.
template <class Read>
auto MapOf(const AvroValue& list, Read read) {
  std::map<FieldId, decltype(read(list))> map;
  for (const AvroValue& item : list.AsItems())
    map[static_cast<FieldId>(item.FieldNamed("key").AsInt(0))] = read(item.FieldNamed("value"));
  return map;
}

template <class Int>
std::vector<Int> ListOf(const AvroValue& list) {
  std::vector<Int> items;
  for (const AvroValue& item : list.AsItems()) items.push_back(static_cast<Int>(item.AsInt(0)));
  return items;
}

ColumnMetrics MetricsOf(const AvroValue& file) {
  auto count = [](const AvroValue& value) { return value.AsInt(0); };
  auto bytes = [](const AvroValue& value) { return value.AsBytes(); };
  ColumnMetrics metrics;
  metrics.column_sizes = MapOf(file.Field(id::kColumnSizes, "column_sizes"), count);
  metrics.value_counts = MapOf(file.Field(id::kValueCounts, "value_counts"), count);
  metrics.null_value_counts = MapOf(file.Field(id::kNullValueCounts, "null_value_counts"), count);
  metrics.nan_value_counts = MapOf(file.Field(id::kNanValueCounts, "nan_value_counts"), count);
  metrics.lower_bounds = MapOf(file.Field(id::kLowerBounds, "lower_bounds"), bytes);
  metrics.upper_bounds = MapOf(file.Field(id::kUpperBounds, "upper_bounds"), bytes);
  return metrics;
}

Result<DataFile> DataFileOf(const AvroValue& record, const Type& partition) {
  DataFile file;
  int64_t content = record.Field(id::kContent, "content").AsInt(0);
  if (content < 0 || content > static_cast<int64_t>(FileContent::kEqualityDeletes))
    return Error{ErrorCode::kCorruption, "a data file has content " + std::to_string(content)};
  file.content = static_cast<FileContent>(content);
  file.path = record.Field(id::kFilePath, "file_path").AsBytes();
  if (file.path.empty()) return Error{ErrorCode::kCorruption, "a data file has no path"};
  file.format = record.Field(id::kFileFormat, "file_format").AsBytes();
  ASSIGN_OR_RETURN(file.partition, DecodePartition(record.Field(id::kPartition, "partition"), partition));
  file.record_count = record.Field(id::kRecordCount, "record_count").AsInt(0);
  file.file_size_bytes = record.Field(id::kFileSize, "file_size_in_bytes").AsInt(0);
  file.metrics = MetricsOf(record);
  file.key_metadata = OptionalBytes(record.Field(id::kKeyMetadata, "key_metadata"));
  file.split_offsets = ListOf<int64_t>(record.Field(id::kSplitOffsets, "split_offsets"));
  file.equality_ids = ListOf<FieldId>(record.Field(id::kEqualityIds, "equality_ids"));
  if (auto order = OptionalInt(record.Field(id::kSortOrderId, "sort_order_id"))) file.sort_order_id = static_cast<int32_t>(*order);
  file.referenced_data_file = OptionalBytes(record.Field(id::kReferencedDataFile, "referenced_data_file"));
  return file;
}

Result<ManifestEntry> EntryOf(const AvroValue& record, const ManifestFile& manifest, const Type& partition) {
  ManifestEntry entry;
  // A writer that makes the status nullable writes added files only.
  int64_t status = record.Field(id::kStatus, "status").AsInt(static_cast<int64_t>(EntryStatus::kAdded));
  if (status < 0 || status > static_cast<int64_t>(EntryStatus::kDeleted))
    return Error{ErrorCode::kCorruption, "a manifest entry has status " + std::to_string(status)};
  entry.status = static_cast<EntryStatus>(status);
  entry.snapshot_id = OptionalInt(record.Field(id::kSnapshotId, "snapshot_id")).value_or(manifest.added_snapshot_id);
  entry.sequence_number = OptionalInt(record.Field(id::kSequenceNumber, "sequence_number")).value_or(manifest.sequence_number);
  entry.file_sequence_number = OptionalInt(record.Field(id::kFileSequenceNumber, "file_sequence_number")).value_or(manifest.sequence_number);
  ASSIGN_OR_RETURN(entry.file, DataFileOf(record.Field(id::kDataFile, "data_file"), partition));
  return entry;
}

// A manifest that stands under the name of another one: its list says how long it is, and the header of ours who wrote it.
Result<void> CheckOwn(std::string_view bytes, const AvroReader& reader, const ManifestFile& manifest) {
  if (manifest.length > 0 && bytes.size() != static_cast<size_t>(manifest.length))
    return Error{ErrorCode::kCorruption,
                 "it has " + std::to_string(bytes.size()) + " bytes, its list says " + std::to_string(manifest.length)};
  auto id = reader.metadata().find(kSnapshotOfManifestKey);
  if (id == reader.metadata().end() || id->second == std::to_string(manifest.added_snapshot_id)) return {};
  return Error{ErrorCode::kCorruption,
               "it was added by snapshot " + id->second + ", its list says " + std::to_string(manifest.added_snapshot_id)};
}

Result<std::vector<ManifestEntry>> EntriesOf(const AvroReader& reader, const ManifestFile& manifest, const Type& partition) {
  std::vector<ManifestEntry> entries;
  RETURN_IF_ERROR(reader.ForEach([&](const AvroValue& record) -> Result<void> {
    ASSIGN_OR_RETURN(ManifestEntry entry, EntryOf(record, manifest, partition));
    entries.push_back(std::move(entry));
    return {};
  }));
  return entries;
}

Result<std::vector<ManifestEntry>> ParseOwn(std::string_view bytes, const ManifestFile& manifest, const Type& partition) {
  ASSIGN_OR_RETURN(AvroReader reader, AvroReader::Open(bytes));
  RETURN_IF_ERROR(CheckOwn(bytes, reader, manifest));
  return EntriesOf(reader, manifest, partition);
}

}  // namespace

Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes, const ManifestFile& manifest, const Type& partition) {
  ASSIGN_OR_RETURN(AvroReader reader, AvroReader::Open(bytes));
  return EntriesOf(reader, manifest, partition);
}

Result<std::vector<ManifestEntry>> ReadManifest(io::ObjectStore& objects, const ManifestFile& manifest, const TableMetadata& metadata) {
  std::string doing = "reading the manifest \"" + manifest.path + "\"";
  const PartitionSpec* spec = metadata.FindSpec(manifest.partition_spec_id);
  if (spec == nullptr)
    return Error{ErrorCode::kCorruption, "the table has no partition spec " + std::to_string(manifest.partition_spec_id)}.While(doing);
  auto bytes = io::ReadObject(objects, manifest.path, kManifestBytesMax);
  if (!bytes.ok()) return bytes.error().While(doing);
  auto entries = ParseOwn(*bytes, manifest, metadata.PartitionTypeOf(*spec));
  if (!entries.ok()) return entries.error().While(doing);
  return entries;
}

}  // namespace sluice::iceberg
