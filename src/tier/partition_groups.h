// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Sorts rows of hot chunks into the partitions of a table: a counting sort of row numbers that keeps the order of arrival.

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "iceberg/partition_spec.h"
#include "table/hot_tail.h"

namespace sluice::tier {

// Row numbers of one chunk, ascending.
struct ChunkRows {
  size_t chunk = 0;  // index into the chunks that were grouped
  std::vector<uint32_t> rows;
};

// The rows of one partition, oldest chunk first.
struct PartitionGroup {
  iceberg::PartitionValue partition;
  std::vector<ChunkRows> chunks;
  uint64_t rows = 0;
};

// Every row of `chunks` in exactly one group; groups in the order in which their first row came.
// REQUIRES: the spec's source columns are event columns (CheckPartitionSpec succeeded against the event schema).
std::vector<PartitionGroup> GroupByPartition(const iceberg::PartitionSpec& spec, std::span<const table::HotChunkView> chunks);

}  // namespace sluice::tier
