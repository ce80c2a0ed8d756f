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

// Where a row stands: a chunk, as index into the chunks that were grouped, and a row of it. Four bytes, because there is one for
// each row of a table commit.
class RowPlace {
 public:
  RowPlace() = default;
  RowPlace(size_t chunk, uint32_t row) : bits_(static_cast<uint32_t>(chunk) << kRowBits | row) {}
  size_t chunk() const { return bits_ >> kRowBits; }
  uint32_t row() const { return bits_ & (table::kHotChunkRowsMax - 1); }
  static constexpr int kRowBits = 14;
  static constexpr size_t kChunksMax = size_t{1} << (32 - kRowBits);

 private:
  uint32_t bits_ = 0;
};
static_assert(table::kHotChunkRowsMax == 1u << RowPlace::kRowBits);

// The rows of one partition, oldest first. Belongs to its PartitionGroups.
struct PartitionGroup {
  iceberg::PartitionValue partition;
  std::span<const RowPlace> rows;
};

struct PartitionGroups {
  std::vector<PartitionGroup> groups;
  std::vector<RowPlace> places;  // all rows, group behind group
};

// Every row of `chunks` in exactly one group; groups in the order in which their first row came. Takes eight bytes a row, and four of
// them stay. A column that another engine added has no value in any row. REQUIRES: fewer than RowPlace::kChunksMax chunks; the
// transforms of event columns take them (CheckPartitionSpec).
PartitionGroups GroupByPartition(const iceberg::PartitionSpec& spec, std::span<const table::HotChunkView> chunks);

}  // namespace sluice::tier
