// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Partition values in the Avro of a manifest.

#include "base/json.h"
#include "base/result.h"
#include "iceberg/internal/avro_reader.h"
#include "iceberg/internal/avro_writer.h"
#include "iceberg/value.h"

namespace sluice::iceberg {

// The record "r102". Field names that Avro does not allow are escaped, the name itself stands in "iceberg-field-name".
Json PartitionAvroSchema(const Type& partition);

// REQUIRES: each value is null or fits its field.
void EncodePartition(const PartitionValue& values, const Type& partition, AvroEncoder& out);

// By field id. A field that is missing is null. kCorruption: a value of another type.
Result<PartitionValue> DecodePartition(const AvroValue& record, const Type& partition);

}  // namespace sluice::iceberg
