// SPDX-License-Identifier: Apache-2.0
//
// Manifests, manifest lists and metadata files as other engines may leave them. What was read can be written, and reads the same.

#include "base/check.h"
#include "base/fuzz_target.h"
#include "iceberg/internal/table_testing.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/manifest_writer.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {
namespace {

void RunManifest(std::string_view input) {
  static const TableMetadata table = TestMetadata();
  static const Type partition = table.PartitionTypeOf(table.spec());
  auto entries = ParseManifest(input, {}, partition);
  if (!entries.ok()) return;
  ManifestWriter writer(table, table.default_spec_id, ManifestContent::kData, 42, kTestSync);
  std::vector<ManifestEntry> written;
  for (const ManifestEntry& entry : *entries) {
    CHECK(entry.file.partition.size() == partition.fields.size(), "a value for each field of the partition");
    for (size_t i = 0; i < partition.fields.size(); i++) {
      const Value& value = entry.file.partition[i];
      CHECK(IsNull(value) || Fits(value, partition.fields[i].type), "a partition's values are of its types");
    }
    if (entry.file.content != FileContent::kData) continue;
    if (!entry.is_live() || !entry.snapshot_id || !entry.sequence_number || !entry.file_sequence_number) continue;
    written.push_back(entry);
    written.back().status = EntryStatus::kExisting;
    writer.Add(written.back());
  }
  auto finished = writer.Finish();
  auto again = ParseManifest(finished.bytes, finished.file, partition);
  CHECK(again.ok() && again->size() == written.size(), "what was read can be written");
  for (size_t i = 0; i < written.size(); i++) CHECK((*again)[i].file.path == written[i].file.path && (*again)[i].file.partition == written[i].file.partition, "and reads the same");
}

void RunList(std::string_view input) {
  auto manifests = ParseManifestList(input);
  if (!manifests.ok()) return;
  Snapshot snapshot;
  snapshot.snapshot_id = 42;
  snapshot.sequence_number = 9;
  auto again = ParseManifestList(SerializeManifestList(snapshot, *manifests, kTestSync));
  CHECK(again.ok() && again->size() == manifests->size(), "what was read can be written");
  for (size_t i = 0; i < manifests->size(); i++) CHECK((*again)[i].path == (*manifests)[i].path && (*again)[i].length == (*manifests)[i].length, "and reads the same");
}

void RunMetadata(std::string_view input) {
  auto metadata = ParseTableMetadata(input, "fuzz");
  if (!metadata.ok()) return;
  (void)metadata->schema();
  (void)metadata->PartitionTypeOf(metadata->spec());
  (void)metadata->sort_order();
  (void)metadata->current_snapshot();
  if (metadata->format_version != kFormatVersionWritten) return;
  auto again = ParseTableMetadata(SerializeTableMetadata(*metadata), "fuzz");
  CHECK(again.ok() && *again == *metadata, "what was read can be written and reads the same");
}

std::vector<std::string> ManifestSeeds() {
  TableMetadata table = TestMetadata();
  std::vector<std::string> seeds;
  for (auto status : {EntryStatus::kAdded, EntryStatus::kExisting, EntryStatus::kDeleted}) {
    ManifestWriter writer(table, 0, ManifestContent::kData, 42, kTestSync);
    ManifestEntry entry;
    entry.status = status;
    entry.file = TestFile("file:///a", "order", 5, 1, 10);
    entry.file.split_offsets = {4, 1000};
    entry.file.metrics.column_sizes = {{1, 100}};
    if (status != EntryStatus::kAdded) entry.snapshot_id = 7, entry.sequence_number = 3, entry.file_sequence_number = 2;
    writer.Add(entry);
    writer.Add(entry);
    seeds.push_back(writer.Finish().bytes);
  }
  return seeds;
}

std::vector<std::string> ListSeeds() {
  Snapshot snapshot;
  snapshot.snapshot_id = 42;
  snapshot.sequence_number = 9;
  ManifestFile file;
  file.path = "file:///m";
  file.length = 100;
  file.partitions = {{true, false, std::string("a"), std::string("b")}, {}};
  return {SerializeManifestList(snapshot, {}, kTestSync), SerializeManifestList(snapshot, {file, file}, kTestSync)};
}

std::vector<std::string> MetadataSeeds() {
  TableMetadata plain = TestMetadata(), full = TestMetadata();
  Snapshot snapshot;
  snapshot.snapshot_id = 7;
  snapshot.sequence_number = 1;
  snapshot.timestamp_ms = 2000;
  snapshot.manifest_list = "file:///t/metadata/l.avro";
  snapshot.schema_id = 0;
  snapshot.summary = {{"operation", "append"}};
  full.snapshots = {snapshot};
  full.current_snapshot_id = 7;
  full.last_sequence_number = 1;
  full.refs["main"] = {7};
  full.refs["t"] = {7, false, {}, {}, 1};
  full.snapshot_log = {{2000, 7}};
  full.metadata_log = {{1000, "file:///t/metadata/0.json"}};
  full.properties = {{"a", "b"}};
  full.unknown = {{"x", Json(int64_t{1})}};
  return {SerializeTableMetadata(plain), SerializeTableMetadata(full)};
}

const base::FuzzRegistration kManifest({"manifest", RunManifest, ManifestSeeds});
const base::FuzzRegistration kList({"manifest_list", RunList, ListSeeds});
const base::FuzzRegistration kMetadata({"table_metadata", RunMetadata, MetadataSeeds});

}  // namespace
}  // namespace sluice::iceberg
