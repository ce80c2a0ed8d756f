// SPDX-License-Identifier: Apache-2.0
#include "iceberg/manifest_list.h"

#include "iceberg/internal/avro_reader.h"
#include "iceberg/internal/avro_writer.h"

namespace sluice::iceberg {
namespace {

namespace id = manifest_field;

void PutOptional(const std::optional<std::string>& value, AvroEncoder& out) {
  if (!value) return out.PutNull();
  out.PutPresent();
  out.PutBytes(*value);
}

void PutSummaries(const std::vector<FieldSummary>& summaries, AvroEncoder& out) {
  if (summaries.empty()) return out.PutNull();
  out.PutPresent();
  out.PutItemCount(summaries.size());
  for (const FieldSummary& summary : summaries) {
    out.PutBool(summary.contains_null);
    if (summary.contains_nan) {
      out.PutPresent();
      out.PutBool(*summary.contains_nan);
    } else {
      out.PutNull();
    }
    PutOptional(summary.lower_bound, out);
    PutOptional(summary.upper_bound, out);
  }
  out.PutItemsEnd();
}

void PutManifest(const ManifestFile& manifest, AvroEncoder& out) {
  out.PutBytes(manifest.path);
  out.PutLong(manifest.length);
  out.PutLong(manifest.partition_spec_id);
  out.PutLong(static_cast<int64_t>(manifest.content));
  out.PutLong(manifest.sequence_number);
  out.PutLong(manifest.min_sequence_number);
  out.PutLong(manifest.added_snapshot_id);
  // Version 2 has no "unknown": a count that an old list left out becomes 1 where zero would hide the manifest.
  out.PutLong(manifest.added_files_count.value_or(1));
  out.PutLong(manifest.existing_files_count.value_or(1));
  out.PutLong(manifest.deleted_files_count.value_or(1));
  out.PutLong(manifest.added_rows_count.value_or(0));
  out.PutLong(manifest.existing_rows_count.value_or(0));
  out.PutLong(manifest.deleted_rows_count.value_or(0));
  PutSummaries(manifest.partitions, out);
  PutOptional(manifest.key_metadata, out);
}

std::optional<int64_t> OptionalInt(const AvroValue& value) {
  return value.is_null() ? std::nullopt : std::optional<int64_t>(value.AsInt(0));
}

std::optional<std::string> OptionalBytes(const AvroValue& value) {
  return value.is_null() ? std::nullopt : std::optional<std::string>(value.AsBytes());
}

std::vector<FieldSummary> SummariesOf(const AvroValue& list) {
  std::vector<FieldSummary> summaries;
  for (const AvroValue& item : list.AsItems()) {
    FieldSummary summary;
    summary.contains_null = item.Field(id::kContainsNull, "contains_null").AsBool(true);
    const AvroValue& nan = item.Field(id::kContainsNan, "contains_nan");
    if (!nan.is_null()) summary.contains_nan = nan.AsBool(true);
    summary.lower_bound = OptionalBytes(item.Field(id::kLowerBound, "lower_bound"));
    summary.upper_bound = OptionalBytes(item.Field(id::kUpperBound, "upper_bound"));
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

Result<ManifestFile> ManifestOf(const AvroValue& record) {
  ManifestFile manifest;
  manifest.path = record.Field(id::kManifestPath, "manifest_path").AsBytes();
  if (manifest.path.empty()) return Error{ErrorCode::kCorruption, "a manifest has no path"};
  manifest.length = record.Field(id::kManifestLength, "manifest_length").AsInt(0);
  manifest.partition_spec_id = static_cast<SpecId>(record.Field(id::kPartitionSpecId, "partition_spec_id").AsInt(0));
  int64_t content = record.Field(id::kListContent, "content").AsInt(0);
  if (content != 0 && content != 1) return Error{ErrorCode::kCorruption, "a manifest has content " + std::to_string(content)};
  manifest.content = static_cast<ManifestContent>(content);
  manifest.sequence_number = record.Field(id::kListSequenceNumber, "sequence_number").AsInt(0);
  manifest.min_sequence_number = record.Field(id::kMinSequenceNumber, "min_sequence_number").AsInt(0);
  manifest.added_snapshot_id = record.Field(id::kAddedSnapshotId, "added_snapshot_id").AsInt(0);
  manifest.added_files_count = OptionalInt(record.Field(id::kAddedFiles, "added_files_count"));
  manifest.existing_files_count = OptionalInt(record.Field(id::kExistingFiles, "existing_files_count"));
  manifest.deleted_files_count = OptionalInt(record.Field(id::kDeletedFiles, "deleted_files_count"));
  manifest.added_rows_count = OptionalInt(record.Field(id::kAddedRows, "added_rows_count"));
  manifest.existing_rows_count = OptionalInt(record.Field(id::kExistingRows, "existing_rows_count"));
  manifest.deleted_rows_count = OptionalInt(record.Field(id::kDeletedRows, "deleted_rows_count"));
  manifest.partitions = SummariesOf(record.Field(id::kPartitions, "partitions"));
  manifest.key_metadata = OptionalBytes(record.Field(id::kListKeyMetadata, "key_metadata"));
  return manifest;
}

std::vector<ManifestFile> EmbeddedManifests(const Snapshot& snapshot) {
  std::vector<ManifestFile> manifests;
  for (const std::string& path : snapshot.manifests) {
    ManifestFile manifest;
    manifest.path = path;
    manifest.added_snapshot_id = snapshot.snapshot_id;
    manifests.push_back(std::move(manifest));
  }
  return manifests;
}

// A list that stands under the name of another one: of ours and of most writers the header says whose it is.
Result<void> CheckSnapshot(const AvroReader& reader, const Snapshot& snapshot) {
  auto id = reader.metadata().find("snapshot-id");
  if (id == reader.metadata().end() || id->second == std::to_string(snapshot.snapshot_id)) return {};
  return Error{ErrorCode::kCorruption, "it is the list of snapshot " + id->second + ", not of " + std::to_string(snapshot.snapshot_id)};
}

Result<std::vector<ManifestFile>> ManifestsOf(const AvroReader& reader) {
  std::vector<ManifestFile> manifests;
  RETURN_IF_ERROR(reader.ForEach([&](const AvroValue& record) -> Result<void> {
    ASSIGN_OR_RETURN(ManifestFile manifest, ManifestOf(record));
    manifests.push_back(std::move(manifest));
    return {};
  }));
  return manifests;
}

Result<std::vector<ManifestFile>> ParseListOf(std::string_view bytes, const Snapshot& snapshot) {
  ASSIGN_OR_RETURN(AvroReader reader, AvroReader::Open(bytes));
  RETURN_IF_ERROR(CheckSnapshot(reader, snapshot));
  return ManifestsOf(reader);
}

}  // namespace

std::string SerializeManifestList(const Snapshot& snapshot, std::vector<ManifestFile> manifests, std::string sync) {
  std::map<std::string, std::string> header = {
      {"snapshot-id", std::to_string(snapshot.snapshot_id)},
      {"parent-snapshot-id", snapshot.parent_snapshot_id ? std::to_string(*snapshot.parent_snapshot_id) : "null"},
      {"sequence-number", std::to_string(snapshot.sequence_number)},
      {"format-version", std::to_string(kFormatVersionWritten)}};
  AvroWriter avro(ManifestListAvroSchema().Dump(), std::move(header), AvroCodec::kDeflate, std::move(sync));
  for (ManifestFile& manifest : manifests) {
    if (manifest.sequence_number == kUnassignedSequence) manifest.sequence_number = snapshot.sequence_number;
    if (manifest.min_sequence_number == kUnassignedSequence) manifest.min_sequence_number = snapshot.sequence_number;
    PutManifest(manifest, avro.object());
    avro.EndObject();
  }
  return avro.Finish();
}

Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes) {
  ASSIGN_OR_RETURN(AvroReader reader, AvroReader::Open(bytes));
  return ManifestsOf(reader);
}

Result<std::vector<ManifestFile>> ReadManifestList(io::ObjectStore& objects, const Snapshot& snapshot) {
  if (snapshot.manifest_list.empty()) return EmbeddedManifests(snapshot);
  std::string doing = "reading the manifest list \"" + snapshot.manifest_list + "\"";
  auto bytes = io::ReadObject(objects, snapshot.manifest_list, kManifestBytesMax);
  if (!bytes.ok()) return bytes.error().While(doing);
  auto manifests = ParseListOf(*bytes, snapshot);
  if (!manifests.ok()) return manifests.error().While(doing);
  return manifests;
}

}  // namespace sluice::iceberg
