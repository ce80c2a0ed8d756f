// SPDX-License-Identifier: Apache-2.0
#include "iceberg/manifest_writer.h"

#include <cmath>

#include "iceberg/internal/avro_writer.h"
#include "iceberg/internal/partition_avro.h"

namespace sluice::iceberg {
namespace {

void PutOptional(const std::optional<int64_t>& value, AvroEncoder& out) {
  if (!value) return out.PutNull();
  out.PutPresent();
  out.PutLong(*value);
}

void PutOptional(const std::optional<std::string>& value, AvroEncoder& out) {
  if (!value) return out.PutNull();
  out.PutPresent();
  out.PutBytes(*value);
}

// An empty map is written as such, not as null: PyIceberg's metadata tables stumble over null.
void PutMap(const std::map<FieldId, int64_t>& map, AvroEncoder& out) {
  out.PutPresent();
  out.PutItemCount(map.size());
  for (const auto& [key, value] : map) {
    out.PutLong(key);
    out.PutLong(value);
  }
  out.PutItemsEnd();
}

void PutMap(const std::map<FieldId, std::string>& map, AvroEncoder& out) {
  out.PutPresent();
  out.PutItemCount(map.size());
  for (const auto& [key, value] : map) {
    out.PutLong(key);
    out.PutBytes(value);
  }
  out.PutItemsEnd();
}

template <class Int>
void PutList(const std::vector<Int>& list, AvroEncoder& out) {
  if (list.empty()) return out.PutNull();
  out.PutPresent();
  out.PutItemCount(list.size());
  for (Int item : list) out.PutLong(item);
  out.PutItemsEnd();
}

void PutDataFile(const DataFile& file, const Type& partition, AvroEncoder& out) {
  out.PutLong(static_cast<int64_t>(file.content));
  out.PutBytes(file.path);
  out.PutBytes(file.format);
  EncodePartition(file.partition, partition, out);
  out.PutLong(file.record_count);
  out.PutLong(file.file_size_bytes);
  PutMap(file.metrics.column_sizes, out);
  PutMap(file.metrics.value_counts, out);
  PutMap(file.metrics.null_value_counts, out);
  PutMap(file.metrics.nan_value_counts, out);
  PutMap(file.metrics.lower_bounds, out);
  PutMap(file.metrics.upper_bounds, out);
  PutOptional(file.key_metadata, out);
  PutList(file.split_offsets, out);
  PutList(file.equality_ids, out);
  PutOptional(file.sort_order_id ? std::optional<int64_t>(*file.sort_order_id) : std::nullopt, out);
  PutOptional(file.referenced_data_file, out);
}

bool IsNan(const Value& value) {
  if (auto* f = std::get_if<float>(&value)) return std::isnan(*f);
  if (auto* d = std::get_if<double>(&value)) return std::isnan(*d);
  return false;
}

// The range of one partition field over all entries, deleted ones included.
struct FieldRange {
  bool contains_null = false;
  bool contains_nan = false;
  Value lower;
  Value upper;

  void Add(const Value& value) {
    if (IsNull(value)) {
      contains_null = true;
    } else if (IsNan(value)) {
      contains_nan = true;
    } else {
      if (IsNull(lower) || Compare(value, lower) < 0) lower = value;
      if (IsNull(upper) || Compare(value, upper) > 0) upper = value;
    }
  }
  FieldSummary Summary(const Type& type) const {
    FieldSummary summary{contains_null, contains_nan, {}, {}};
    if (!IsNull(lower)) summary.lower_bound = ValueToBytes(lower, type);
    if (!IsNull(upper)) summary.upper_bound = ValueToBytes(upper, type);
    return summary;
  }
};

std::map<std::string, std::string> Header(const TableMetadata& metadata, const PartitionSpec& spec, ManifestContent content,
                                          SnapshotId snapshot_id) {
  return {{kSnapshotOfManifestKey, std::to_string(snapshot_id)},
          {"schema", SchemaToJson(metadata.schema()).Dump()},
          {"schema-id", std::to_string(metadata.current_schema_id)},
          {"partition-spec", PartitionFieldsToJson(spec.fields).Dump()},
          {"partition-spec-id", std::to_string(spec.spec_id)},
          {"format-version", std::to_string(kFormatVersionWritten)},
          {"content", content == ManifestContent::kData ? "data" : "deletes"}};
}

const PartitionSpec& SpecOf(const TableMetadata& metadata, SpecId id) {
  const PartitionSpec* spec = metadata.FindSpec(id);
  CHECK(spec != nullptr, "a manifest of a partition spec that the table does not have");
  return *spec;
}

}  // namespace

struct ManifestWriter::State {
  Type partition;
  ManifestFile file;
  SnapshotId snapshot_id;
  AvroWriter avro;
  std::vector<FieldRange> ranges;
  std::optional<DataSequence> min_sequence;  // over live entries that have a number

  void Count(const ManifestEntry& entry) {
    bool added = entry.status == EntryStatus::kAdded, existing = entry.status == EntryStatus::kExisting;
    auto& files = added ? file.added_files_count : existing ? file.existing_files_count : file.deleted_files_count;
    auto& rows = added ? file.added_rows_count : existing ? file.existing_rows_count : file.deleted_rows_count;
    files = *files + 1;
    rows = *rows + entry.file.record_count;
    if (!entry.is_live() || !entry.sequence_number) return;
    if (!min_sequence || *entry.sequence_number < *min_sequence) min_sequence = entry.sequence_number;
  }
};

ManifestWriter::ManifestWriter(const TableMetadata& metadata, SpecId spec_id, ManifestContent content, SnapshotId snapshot_id, std::string sync) {
  const PartitionSpec& spec = SpecOf(metadata, spec_id);
  Type partition = metadata.PartitionTypeOf(spec);
  AvroWriter avro(ManifestAvroSchema(partition).Dump(), Header(metadata, spec, content, snapshot_id), AvroCodec::kDeflate, std::move(sync));
  ManifestFile file;
  file.partition_spec_id = spec_id;
  file.content = content;
  file.sequence_number = kUnassignedSequence;
  file.added_snapshot_id = snapshot_id;
  file.added_files_count = file.existing_files_count = file.deleted_files_count = 0;
  file.added_rows_count = file.existing_rows_count = file.deleted_rows_count = 0;
  std::vector<FieldRange> ranges(partition.fields.size());
  state_.reset(new State{std::move(partition), std::move(file), snapshot_id, std::move(avro), std::move(ranges), {}});
}

ManifestWriter::~ManifestWriter() = default;
ManifestWriter::ManifestWriter(ManifestWriter&&) noexcept = default;

void ManifestWriter::Add(const ManifestEntry& entry) {
  bool numbered = entry.snapshot_id && entry.sequence_number && entry.file_sequence_number;
  CHECK(entry.status == EntryStatus::kAdded || numbered, "an existing or deleted entry without sequence numbers");
  CHECK((entry.file.content == FileContent::kData) == (state_->file.content == ManifestContent::kData), "data and deletes in one manifest");
  AvroEncoder& out = state_->avro.object();
  out.PutLong(static_cast<int64_t>(entry.status));
  PutOptional(entry.status == EntryStatus::kAdded ? std::optional<SnapshotId>(state_->snapshot_id) : entry.snapshot_id, out);
  PutOptional(entry.sequence_number, out);
  PutOptional(entry.status == EntryStatus::kAdded ? std::nullopt : entry.file_sequence_number, out);
  PutDataFile(entry.file, state_->partition, out);
  state_->avro.EndObject();
  state_->Count(entry);
  for (size_t i = 0; i < state_->ranges.size(); i++) state_->ranges[i].Add(entry.file.partition[i]);
}

size_t ManifestWriter::bytes() const { return state_->avro.bytes(); }

WrittenManifest ManifestWriter::Finish() {
  for (size_t i = 0; i < state_->ranges.size(); i++)
    state_->file.partitions.push_back(state_->ranges[i].Summary(state_->partition.fields[i].type));
  // Entries without a number get this commit's, which is above all others: the smallest explicit one decides.
  state_->file.min_sequence_number = state_->min_sequence.value_or(kUnassignedSequence);
  WrittenManifest written{state_->avro.Finish(), std::move(state_->file)};
  written.file.length = static_cast<int64_t>(written.bytes.size());
  return written;
}

}  // namespace sluice::iceberg
