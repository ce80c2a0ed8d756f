// SPDX-License-Identifier: Apache-2.0
#include "server/metric_families.h"

#include "front/http/http_metrics.h"
#include "ingest/ingest_metrics.h"
#include "log/log_metrics.h"
#include "query/session.h"
#include "tier/tier_metrics.h"

namespace sluice::server {

std::span<const io::MetricFamily> MetricFamilies() {
  static const io::MetricFamily kFamilies[] = {
      front::http::kRequestsTotal,
      front::http::kConnections,
      front::http::kRefusedTotal,
      front::http::kTimeoutsTotal,
      front::http::kReceivedBytesTotal,
      front::http::kSentBytesTotal,
      front::http::kBodyBytesInFlight,
      ingest::kEventsTotal,
      ingest::kBytesTotal,
      ingest::kRefusedTotal,
      log::kEventsAccepted,
      log::kEventsDuplicate,
      log::kRequestsRefused,
      log::kCommits,
      log::kCommitBytes,
      log::kCommitSeconds,
      log::kUpkeepFailures,
      log::kSegments,
      log::kDedupKeysOpen,
      kPrivateMemoryBytes,
      kUsedHeapBytes,
      kHotBytes,
      kHotFileBytes,
      kHotRows,
      tier::kRowsTotal,
      tier::kFilesTotal,
      tier::kBytesTotal,
      tier::kOrphansTotal,
      tier::kCommitSeconds,
      query::kStatementsMetric,
      query::kStatementSecondsMetric,
      query::kWorkersLostMetric,
      query::kQueuedMetric,
      query::kMappedMetric,
  };
  return kFamilies;
}

}  // namespace sluice::server
