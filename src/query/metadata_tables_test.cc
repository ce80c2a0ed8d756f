// SPDX-License-Identifier: Apache-2.0
#include "query/metadata_tables.h"

#include <gtest/gtest.h>

#include <string>

#include "query/column_values.h"

namespace sluice::query {
namespace {

iceberg::NestedField Column(iceberg::FieldId id, const char* name, iceberg::TypeId type) {
  iceberg::NestedField out;
  out.id = id;
  out.name = name;
  out.type = type;
  return out;
}

// The partition of its one file.
std::string PartitionOf(const iceberg::TableMetadata& metadata, const iceberg::DataFile& file) {
  const auto rows = FileRows(metadata, {{&file, 0, 1, {}}});
  auto renderers = *MakeRenderers(rows.schema());
  std::string out;
  for (int64_t i = 0; i < rows.column_count(); i++)
    if (std::string_view(rows.schema().children[i]->name) == "partition")
      renderers[static_cast<size_t>(i)]->Append(*rows.array().children[i], 0, out);
  return out;
}

// Another engine divided the table by a column of its own, divided it otherwise later, and dropped the column: its files are still there,
// and naming them ended the server.
TEST(MetadataTables, NameFilesOfAPartitionWhoseColumnIsGone) {
  iceberg::TableMetadata metadata;
  iceberg::TableSchema before, now;
  before.fields = {Column(1, "id", iceberg::TypeId::kLong), Column(2, "region", iceberg::TypeId::kInt)};
  now.fields = {Column(1, "id", iceberg::TypeId::kLong)};
  now.schema_id = metadata.current_schema_id = 1;
  metadata.schemas = {before, now};
  metadata.partition_specs = {{0, {{2, 1000, {iceberg::TransformKind::kIdentity}, "region"}}}};
  iceberg::DataFile file;
  file.path = "a.parquet";
  file.partition = {iceberg::Value(int64_t{7})};
  EXPECT_EQ(PartitionOf(metadata, file), "region=7");
}

}  // namespace
}  // namespace sluice::query
