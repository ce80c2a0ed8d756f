// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The rules that every history has to obey. Each one is what a user may rely on, said in one line.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "history.h"

namespace sluice::history {

enum class AnomalyKind : uint8_t {
  kLost,          // acknowledged, and no read that had to show it did
  kStale,         // acknowledged before the read began, missing in it, shown by another one
  kDuplicate,     // one event in two rows of one read
  kPhantom,       // a row of an event that nobody had sent when the read was over
  kRefused,       // a row of an event whose every send was refused
  kGap,           // a read lacks an offset between its first and its last one, or shows one before what it asked for
  kBackwards,     // a read ends before one that was over when it began
  kMoved,         // an event at another place than the one that was acknowledged or read
  kPlaceTwice,    // two events at one place
  kChanged,       // a row that is not what was sent, or not what another read saw
  kTornRequest,   // a read shows a part of a request
  kReordered,     // an event stands before one that was acknowledged before it was sent
  kRequestOrder,  // events of one request stand in their partition in another order
};
constexpr int kAnomalyKindCount = 13;

// "lost", "stale", ...
std::string_view AnomalyKindName(AnomalyKind kind);

struct Anomaly {
  AnomalyKind kind;
  std::string what;  // which event, which place, which read
};

// All anomalies, at most `most` of each kind. Each rule is judged by itself: one defect of a server may show as several kinds.
// Takes O(n log n) of all rows and events.
std::vector<Anomaly> Check(const History& history, size_t most = 5);

}  // namespace sluice::history
