// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/metrics.h"

namespace sluice::log {

inline constexpr io::MetricFamily kEventsAccepted{"sluice_log_events_accepted_total", "Events that got an offset."};
inline constexpr io::MetricFamily kEventsDuplicate{"sluice_log_events_duplicate_total", "Events that were seen before and not stored again."};
inline constexpr io::MetricFamily kRequestsRefused{"sluice_log_requests_refused_total", "Requests that were not admitted, by reason: a full commit or quota, too large, closed."};
inline constexpr io::MetricFamily kCommits{"sluice_log_commits_total", "Journal commits that became durable, idle marks included."};
inline constexpr io::MetricFamily kCommitBytes{"sluice_log_commit_bytes_total", "Bytes of journal commits, padding included."};
inline constexpr io::MetricFamily kCommitSeconds{"sluice_log_commit_seconds", "From the cut of a commit until it was known to be durable.",
                                                 io::MetricType::kHistogram};
inline constexpr io::MetricFamily kUpkeepFailures{"sluice_log_upkeep_failures_total", "Failures of work beside commits: segments, dedup runs, checkpoints, copies."};
inline constexpr io::MetricFamily kSegments{"sluice_log_journal_segments", "Journal segments, spare ones apart.", io::MetricType::kGauge};
inline constexpr io::MetricFamily kDedupKeysOpen{"sluice_log_dedup_keys_open", "Keys of the dedup table in memory.", io::MetricType::kGauge};

}  // namespace sluice::log
