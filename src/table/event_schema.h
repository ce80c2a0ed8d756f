// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The Iceberg side of the event columns: schema, partition specs, table properties.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/partition_spec.h"
#include "iceberg/schema.h"

namespace sluice::table {

// The 25 columns with field ids 1..25; the extensions' key and value are 26 and 27.
iceberg::TableSchema EventTableSchema();

// Rows are grouped by event type and hour unless a topic says otherwise.
inline constexpr std::string_view kDefaultPartitioning = "identity(type), hour(time)";

// "identity(type), day(time)", "bucket[16](id)", "" (none) -> a spec over the event columns, its fields named as Spark names them
// ("type", "time_day", "id_bucket"). kInvalid names the part and what is possible.
Result<iceberg::PartitionSpec> ParsePartitioning(std::string_view text);

// Properties of every table that is made here: ZSTD, metadata files that do not pile up, format version.
std::map<std::string, std::string> EventTableProperties();

}  // namespace sluice::table
