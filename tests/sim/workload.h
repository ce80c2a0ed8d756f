// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Requests as clients make them: every content mode, compressed or not, duplicates of their own and of others, events that are
// invalid, and the same id with other content.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "sim/dice.h"
#include "sim/event_spec.h"
#include "sim/ledger.h"

namespace sluice::sim {

struct WorkloadOptions {
  int events_max = 12;  // of one request
  int data_bytes_max = 600;
  uint64_t duplicate_one_in = 4;  // requests that repeat an event which somebody sent before
  uint64_t invalid_one_in = 12;   // requests that hold an event which must be refused
  int sources = 3;                // of one sender; they decide the log partition
  int tenants = 2;
};

// One request, ready to be sent and sent again.
struct Request {
  std::string content_type, content_encoding;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // 64 readable bytes follow body_bytes
  size_t body_bytes = 0;
  std::string topic;  // empty: routed by type
  std::string tenant;
  bool lenient = false;
  // One for each event of the body, in order; of an invalid one the key is empty.
  std::vector<EventKey> keys;
  std::vector<Row> rows;
  bool has_invalid = false;
  bool is_refused() const { return has_invalid && !lenient; }
};

// The requests of one sender.
class Workload {
 public:
  // `ledger` must outlive it: duplicates of others come from there.
  Workload(uint64_t seed, int sender, const WorkloadOptions& options, const Ledger& ledger);
  Request Next(Timestamp now);

 private:
  EventSpec NewEvent(Timestamp now);
  std::optional<EventSpec> Repeat(const std::string& tenant, const std::string& fixed_topic, Timestamp now);
  void AddAttributes(EventSpec& event);
  void AddData(EventSpec& event);

  Dice dice_;
  const int sender_;
  const WorkloadOptions options_;
  const Ledger& ledger_;
  int64_t next_id_ = 0;
};

}  // namespace sluice::sim
