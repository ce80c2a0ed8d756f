// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The metrics of the HTTP front.

#include "io/metrics.h"

namespace sluice::front::http {

constexpr io::MetricFamily kRequestsTotal{"sluice_front_http_requests_total", "Answered requests by route and status."};
constexpr io::MetricFamily kConnections{"sluice_front_http_connections", "Open connections.", io::MetricType::kGauge};
constexpr io::MetricFamily kRefusedTotal{"sluice_front_http_refused_connections_total",
                                         "Connections closed at once because a bound was reached, by bound."};
constexpr io::MetricFamily kTimeoutsTotal{"sluice_front_http_timeouts_total", "Connections cut at a deadline, by phase."};
constexpr io::MetricFamily kReceivedBytesTotal{"sluice_front_http_received_bytes_total", "Bytes received from clients."};
constexpr io::MetricFamily kSentBytesTotal{"sluice_front_http_sent_bytes_total", "Bytes sent to clients."};
constexpr io::MetricFamily kBodyBytesInFlight{"sluice_front_http_body_bytes", "Bytes of request bodies held in memory.",
                                              io::MetricType::kGauge};

// The label `route` of what no route was found for.
constexpr const char* kNoRoute = "none";

}  // namespace sluice::front::http
