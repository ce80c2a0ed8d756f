// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The part of a TableChange that concerns columns and partition specs.

#include "iceberg/table_change.h"

namespace sluice::iceberg {

// kInvalid: a column name that exists, a type that is not writable, a partition field without column or with a used name.
Result<void> CanApplyDefinition(const TableMetadata& base, const TableChange& change);

// REQUIRES: CanApplyDefinition. No columns: nothing happens. An equal older schema is used again.
void AddColumns(TableMetadata& table, const std::vector<NewColumn>& columns);

// REQUIRES: CanApplyDefinition. An equal older spec is used again, and so are the ids of fields that existed before.
void SetSpec(TableMetadata& table, const std::vector<NewPartitionField>& fields);

// Gives every field in `fields`, nested ones too, the next id behind `last`. Top-level fields are numbered before nested ones.
void AssignFieldIds(std::vector<NestedField>& fields, FieldId& last);

}  // namespace sluice::iceberg
