// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The model: what the clients know of their events, and what views have shown so far. A few maps and no engine.
//
//   sent ──▶ answered with a place: acknowledged, from now on in every view exactly once
//     └────▶ no answer: it may be in the log or not, once at most; sent again it gets its one place
//
// Lives outside of the simulated machine. Not thread-safe: whoever holds the baton uses it, and no method does io.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/event_spec.h"

namespace sluice::sim {

// What makes an event the same event.
struct EventKey {
  std::string tenant, topic, source, id;
  auto operator<=>(const EventKey&) const = default;
  std::string ToString() const { return tenant + "/" + topic + " " + source + " " + id; }
};

struct Place {
  int32_t partition = 0;
  int64_t offset = 0;
  auto operator<=>(const Place&) const = default;
  std::string ToString() const { return std::to_string(partition) + ":" + std::to_string(offset); }
};

// One event as clients know it.
struct KnownEvent {
  std::vector<Row> variants;   // of the row: a second sender may have sent other content under the same id
  std::optional<Place> place;  // once it was acknowledged
  size_t acknowledged_as = 0;  // index into Ledger::acknowledged()
  bool answered_as_new = false;
  int64_t request = -1;  // the request that first brought it: its new events are there together or not at all
  int sender = 0;
  int64_t number = 0;  // of all that `sender` first brought, in order
};

class Ledger {
 public:
  // A request leaves its client for the first time. `keys[i]` belongs to `rows[i]`.
  void Send(int sender, const std::vector<EventKey>& keys, const std::vector<Row>& rows);
  // The answer arrived: event `key` is at `place`; `duplicate` as the server says. When the client asked, `acknowledged` of all events
  // were acknowledged. Returns what is wrong with that, or nothing.
  std::string Acknowledge(const EventKey& key, Place place, bool duplicate, size_t acknowledged);

  const std::map<EventKey, KnownEvent>& events() const { return events_; }
  // Every acknowledged event, oldest acknowledgement first: a view that begins when n were there shows the first n.
  const std::vector<EventKey>& acknowledged() const { return acknowledged_; }

  // A view showed `row` at `place` of `topic`. Returns what is wrong with that: another view showed another row there.
  std::string See(const std::string& topic, Place place, const Row& row);
  // What views showed there; null: nothing.
  const Row* SeenAt(const std::string& topic, Place place) const;
  // Behind the newest row that any view showed, by topic and log partition.
  const std::map<std::string, std::map<int32_t, int64_t>>& seen_ends() const { return seen_ends_; }

  int64_t rows_seen() const { return static_cast<int64_t>(seen_.size()); }

 private:
  std::map<EventKey, KnownEvent> events_;
  std::map<std::pair<std::string, Place>, EventKey> by_place_;  // of acknowledged ones
  std::vector<EventKey> acknowledged_;
  std::map<std::pair<std::string, Place>, Row> seen_;
  std::map<std::string, std::map<int32_t, int64_t>> seen_ends_;
  std::map<int, int64_t> numbers_;
  int64_t requests_ = 0;
};

// Where a row says that it stands, and of which event it is.
Place PlaceOf(const Row& row);
EventKey KeyOf(const Row& row, const std::string& topic);

// By which tests/history tells events of one topic apart.
inline std::string HistoryId(const EventKey& key) { return key.tenant + " " + key.source + " " + key.id; }

// "data: {"a":1}, not {"a":2}": the first cell in which two rows differ; empty: none.
std::string Difference(const Row& is, const Row& expected);

}  // namespace sluice::sim
