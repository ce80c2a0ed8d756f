// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Which delete files apply to a data file. Source: Iceberg table spec, "Scan Planning".

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "iceberg/manifest_format.h"
#include "iceberg/partition_spec.h"

namespace sluice::iceberg {

// Keeps pointers into the entries that were added.
class DeleteIndex {
 public:
  // `is_unpartitioned`: the spec has no fields; its equality deletes apply to the whole table.
  void Add(const ManifestEntry& entry, SpecId spec_id, bool is_unpartitioned);

  // Position deletes apply to files of their sequence number and older ones, equality deletes only to older ones; both only to their
  // own spec and partition.
  std::vector<const DataFile*> Find(const ManifestEntry& data, SpecId spec_id) const;

 private:
  using ByPartition = std::map<PartitionValue, std::vector<const ManifestEntry*>, PartitionOrder>;
  std::map<std::string, std::vector<const ManifestEntry*>> by_path_;  // position deletes of one data file
  std::map<SpecId, ByPartition> by_partition_;
  std::vector<const ManifestEntry*> everywhere_;
};

}  // namespace sluice::iceberg
