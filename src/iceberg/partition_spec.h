// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How rows are grouped into files (partition spec) and ordered inside them (sort order).
// Source: Iceberg table spec, "Partitioning", "Sorting", appendix C.

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/schema.h"
#include "iceberg/transform.h"

namespace sluice::iceberg {

constexpr FieldId kPartitionFieldIdFirst = 1000;

struct PartitionField {
  FieldId source_id = 0;  // the column
  FieldId field_id = 0;   // of the partition value; never used for another (column, transform)
  Transform transform;
  std::string name;

  bool operator==(const PartitionField&) const = default;
};

struct PartitionSpec {
  SpecId spec_id = 0;
  std::vector<PartitionField> fields;  // none: unpartitioned

  bool operator==(const PartitionSpec&) const = default;
};

struct SortField {
  Transform transform;
  FieldId source_id = 0;
  bool ascending = true;
  bool nulls_first = true;

  bool operator==(const SortField&) const = default;
};

// Order 0 is "unsorted" and has no fields.
struct SortOrder {
  int32_t order_id = 0;
  std::vector<SortField> fields;

  bool operator==(const SortOrder&) const = default;
};

// A struct with one optional field per field of the spec, whose ids are the spec's. A column that is no longer in the schema
// gives a void (null) field of type string: nothing can be said about its old values.
Type PartitionType(const PartitionSpec& spec, const TableSchema& schema);

// kInvalid: a source column is missing or the transform does not take it.
Result<void> CheckPartitionSpec(const PartitionSpec& spec, const TableSchema& schema);

// "type=orders/time_hour=2026-01-15-10", URL-encoded; empty for an unpartitioned table. Only for people and directories. `type`: by which
// the values were read, TableMetadata::PartitionTypeOf(spec): a column that they are of may have left the present schema.
std::string PartitionPath(const PartitionSpec& spec, const Type& type, const PartitionValue& partition);

Result<PartitionSpec> PartitionSpecFromJson(const Json& json);
Json PartitionSpecToJson(const PartitionSpec& spec);
// Only the list of fields, as manifests carry it. Fields without ids (format v1) get 1000, 1001, ...
Result<std::vector<PartitionField>> PartitionFieldsFromJson(const Json& list);
Json PartitionFieldsToJson(const std::vector<PartitionField>& fields);

Result<SortOrder> SortOrderFromJson(const Json& json);
Json SortOrderToJson(const SortOrder& order);

}  // namespace sluice::iceberg
