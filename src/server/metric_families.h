// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Every family of metrics that a server can show, for docs/reference/metrics.md. A test looks for families that are missing here.

#include <span>

#include "io/metrics.h"

namespace sluice::server {

inline constexpr io::MetricFamily kPrivateMemoryBytes{"sluice_server_private_memory_bytes",
                                                      "Memory that is the server process's own: without hot chunks and pages of files.",
                                                      io::MetricType::kGauge};
inline constexpr io::MetricFamily kUsedHeapBytes{"sluice_server_used_heap_bytes",
                                                 "Memory that the heaps of the server process have given out, touched or not.",
                                                 io::MetricType::kGauge};
inline constexpr io::MetricFamily kHotBytes{"sluice_table_hot_bytes", "Memory of hot chunks in use.", io::MetricType::kGauge};
inline constexpr io::MetricFamily kHotFileBytes{"sluice_table_hot_file_bytes", "Files of hot chunks in use.", io::MetricType::kGauge};
inline constexpr io::MetricFamily kHotRows{"sluice_table_hot_rows", "Rows that are not in their table yet.", io::MetricType::kGauge};

std::span<const io::MetricFamily> MetricFamilies();

}  // namespace sluice::server
