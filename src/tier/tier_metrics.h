// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/metrics.h"

namespace sluice::tier {

inline constexpr io::MetricFamily kRowsTotal{"sluice_tier_rows_total", "Rows that were committed to a table.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kFilesTotal{"sluice_tier_files_total", "Data files that were committed to a table.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kBytesTotal{"sluice_tier_bytes_total", "Bytes of data files that were committed to a table.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kOrphansTotal{"sluice_tier_orphans_removed_total", "Files removed that nobody referred to.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kCommitSeconds{"sluice_tier_commit_seconds", "Time of a table commit, data files included.", io::MetricType::kHistogram};

}  // namespace sluice::tier
