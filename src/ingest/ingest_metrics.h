// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/metrics.h"

namespace sluice::ingest {

inline constexpr io::MetricFamily kEventsTotal{"sluice_ingest_events_total", "Events that came in, by result: accepted, duplicate or rejected.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kBytesTotal{"sluice_ingest_bytes_total", "Bytes of request bodies as they were received.", io::MetricType::kCounter};
inline constexpr io::MetricFamily kRefusedTotal{"sluice_ingest_refused_requests_total", "Requests of which nothing was taken, by reason.", io::MetricType::kCounter};

}  // namespace sluice::ingest
