// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Table types as Arrow types, and arrays of a file made to fit the fields that a reader wants.

#include <arrow/type_fwd.h>

#include <memory>

#include "base/result.h"
#include "iceberg/schema.h"

namespace sluice::iceberg::internal {

// Carries the field id in its metadata, at every level.
std::shared_ptr<::arrow::Field> MakeArrowField(const NestedField& field);
std::shared_ptr<::arrow::DataType> MakeArrowType(const Type& type);

// The id in the metadata of `field`; -1 when there is none.
FieldId FieldIdOf(const ::arrow::Field& field);

// `rows` values of a column that the file does not have: its initial default, or null.
// kInvalid: it is required and has no default; the default is of a nested type.
Result<std::shared_ptr<::arrow::Array>> MissingArray(const NestedField& field, int64_t rows);

// The values of `array`, as read from a file, as `field` wants them: children found by field id, numbers widened (int to long,
// float to double, decimals of more digits), struct members that are missing filled in. kCorruption: the file's type cannot become the
// wanted one.
Result<std::shared_ptr<::arrow::Array>> AdaptArray(const std::shared_ptr<::arrow::Array>& array, const NestedField& field);

}  // namespace sluice::iceberg::internal
