// SPDX-License-Identifier: Apache-2.0
#include "iceberg/table_metadata.h"

#include <charconv>

namespace sluice::iceberg {

const TableSchema* TableMetadata::FindSchema(SchemaId id) const {
  for (const TableSchema& schema : schemas) {
    if (schema.schema_id == id) return &schema;
  }
  return nullptr;
}

const PartitionSpec* TableMetadata::FindSpec(SpecId id) const {
  for (const PartitionSpec& spec : partition_specs) {
    if (spec.spec_id == id) return &spec;
  }
  return nullptr;
}

const Snapshot* TableMetadata::FindSnapshot(SnapshotId id) const {
  for (const Snapshot& snapshot : snapshots) {
    if (snapshot.snapshot_id == id) return &snapshot;
  }
  return nullptr;
}

const TableSchema& TableMetadata::schema() const {
  const TableSchema* found = FindSchema(current_schema_id);
  CHECK(found != nullptr, "metadata without its current schema");
  return *found;
}

const PartitionSpec& TableMetadata::spec() const {
  const PartitionSpec* found = FindSpec(default_spec_id);
  CHECK(found != nullptr, "metadata without its default partition spec");
  return *found;
}

const SortOrder& TableMetadata::sort_order() const {
  for (const SortOrder& order : sort_orders) {
    if (order.order_id == default_sort_order_id) return order;
  }
  CHECK(false, "metadata without its default sort order");
  return sort_orders.front();
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id.has_value() ? FindSnapshot(*current_snapshot_id) : nullptr;
}

Type TableMetadata::PartitionTypeOf(const PartitionSpec& partition_spec) const {
  TableSchema sources;
  for (const PartitionField& field : partition_spec.fields) {
    const NestedField* source = schema().FindById(field.source_id);
    for (auto older = schemas.rbegin(); source == nullptr && older != schemas.rend(); ++older) source = older->FindById(field.source_id);
    if (source != nullptr) sources.fields.push_back(*source);
  }
  return PartitionType(partition_spec, sources);
}

std::string TableMetadata::Property(const std::string& name, std::string_view otherwise) const {
  auto it = properties.find(name);
  return it == properties.end() ? std::string(otherwise) : it->second;
}

int64_t TableMetadata::PropertyInt(const std::string& name, int64_t otherwise) const {
  auto it = properties.find(name);
  if (it == properties.end()) return otherwise;
  int64_t number = 0;
  const char* end = it->second.data() + it->second.size();
  auto [at, error] = std::from_chars(it->second.data(), end, number);
  return error == std::errc() && at == end ? number : otherwise;
}

bool TableMetadata::PropertyBool(const std::string& name, bool otherwise) const {
  auto it = properties.find(name);
  return it == properties.end() ? otherwise : it->second == "true";
}

}  // namespace sluice::iceberg
