// SPDX-License-Identifier: Apache-2.0
#include "tier/tier_options.h"

#include "tier/data_file_stager.h"

namespace sluice::tier {

namespace {

constexpr int64_t kOrphanAgeUsLeast = int64_t{3600} * 1'000'000, kOrphanSearchUsLeast = 60'000'000;

}  // namespace

Result<void> TierOptions::Validate() const {
  auto refused = [](const char* what, const char* hint) { return Error{ErrorCode::kInvalid, what, hint}; };
  if (interval_us < 10'000) return refused("tier.interval_ms is below 10", "30000 is the default");
  if (rows_max == 0) return refused("tier.rows_max is 0", "2000000 is the default");
  if (bytes_max < (uint64_t{8} << 20)) return refused("tier.bytes_max is below one hot chunk (8 MiB)", "256 MiB is the default");
  if (interval_stretch_max == 0) return refused("tier.interval_stretch_max is 0", "1 keeps the interval as it is");
  if (writers_max == 0) return refused("tier.writers_max is 0", "2 is the default");
  if (snapshots_min < 1) return refused("tier.snapshots_min is below 1", "the current snapshot always stays");
  if (snapshot_age_us_max < 0) return refused("tier.snapshot_age_ms_max is negative", "21600000 (6 hours) is the default");
  if (expiry_interval_us < 0) return refused("tier.expiry_interval_ms is negative", "60000 is the default");
  if (orphan_age_us_min < kOrphanAgeUsLeast) return refused("tier.orphan_age_ms_min is below an hour", "a commit of another engine may take long; 86400000 (24 hours) is the default");
  if (orphan_search_interval_us < kOrphanSearchUsLeast) return refused("tier.orphan_search_interval_ms is below a minute", "86400000 (24 hours) is the default");
  if (files.row_group_rows_max > kRowGroupRowsMax) return refused("parquet.row_group_rows_max is above 131072", "122880 is the default");
  if (files.page_bytes > kPageBytesMax) return refused("parquet.page_bytes is above 1048576", "1048576 is the default");
  return files.Validate();
}

}  // namespace sluice::tier
