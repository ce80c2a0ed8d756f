// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// When rows move from the log to their table, and how their files are written.

#include <cstdint>

#include "base/result.h"
#include "iceberg/data_file_options.h"

namespace sluice::tier {

struct TierOptions {
  // Whichever comes first, counted over the rows of one table that are not in a snapshot.
  int64_t interval_us = 30'000'000;  // since the oldest of them came
  uint64_t rows_max = 2'000'000;
  uint64_t bytes_max = uint64_t{256} << 20;  // of hot chunks
  // A table with many partitions and few rows waits longer: up to this factor, so that its files are not tiny.
  uint32_t interval_stretch_max = 4;
  uint64_t file_rows_min = 2'000;  // fewer rows per file than this stretch the interval
  // Tables whose files are written at the same time; others wait. Each takes up to kStagingBytesMax (data_file_stager.h).
  uint32_t writers_max = 2;
  iceberg::DataFileOptions files;  // where the table's properties do not say otherwise
  // Snapshots that nobody needs any more: what is older goes, but the newest `snapshots_min` stay.
  int64_t snapshot_age_us_max = int64_t{6} * 3600 * 1'000'000;
  int32_t snapshots_min = 10;
  int64_t expiry_interval_us = 60'000'000;  // how often is looked for them, at most: with a commit
  // Files that nobody refers to are removed when they are so old: no commit, of whatever engine, may take longer.
  int64_t orphan_age_us_min = int64_t{24} * 3600 * 1'000'000;
  int64_t orphan_search_interval_us = int64_t{24} * 3600 * 1'000'000;  // and at the start

  Result<void> Validate() const;
};

}  // namespace sluice::tier
