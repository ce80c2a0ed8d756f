// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What a log that nobody has open holds of a topic: by which the rows of a table are told to be its own, or not.

#include <map>
#include <string>

#include "base/result.h"
#include "log/reader.h"
#include "sim/ledger.h"
#include "sim/table_rows.h"

namespace sluice::sim {

class LogRows {
 public:
  // Errors: of reading. A topic that the log does not know has no rows.
  static Result<LogRows> Read(log::LogSource& log, const std::string& topic);

  // Why a row of a table of the topic is not of this log: it lies behind the log's end, or another one stands there. Empty: it is of this
  // log, or from before what is retained, which left because the log knew that the table has it.
  std::string WhyNotOf(const Row& row) const;
  // The event stands there, as far as the log still has it.
  bool Holds(const EventKey& key, Place place) const;
  // The log ends at its place, or before.
  bool EndsBefore(Place place) const;

 private:
  struct Event {
    EventKey key;
    int64_t appended_us = 0;
  };
  std::string topic_;
  std::map<log::LogPartition, log::Offset> firsts_, ends_;
  std::map<Place, Event> events_;
};

}  // namespace sluice::sim
