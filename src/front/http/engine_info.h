// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the front ends ask the engine that they are part of. Implemented by server/.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace sluice::front::http {

// All calls on the loop's thread.
class EngineInfo {
 public:
  virtual ~EngineInfo() = default;
  // False while starting or stopping; `why` then says it in a sentence.
  virtual bool IsReady(std::string& why) = 0;
  // A line for each table whose rows are still being loaded from the log: "bronze.events: 100 of 200 rows".
  virtual std::vector<std::string> WhatIsLoading() = 0;
  virtual Json Version() = 0;
  virtual Json ListTopics() = 0;
  // kNotFound names the nearest.
  virtual Result<Json> DescribeTopic(std::string_view topic) = 0;
  virtual Json ListTables() = 0;
  // `table`: "bronze.events".
  virtual Result<Json> DescribeTable(std::string_view table) = 0;
  virtual Result<Json> ListSnapshots(std::string_view table) = 0;
  virtual Json Status() = 0;
  // Moves everything that is acknowledged now into the table, then calls `done` on the loop's thread with the table's description.
  virtual void Flush(std::string_view table, int64_t timeout_ms, std::function<void(Result<Json>)> done) = 0;
  // Ends a pause, then calls `done` on the loop's thread with the table's description. `from`: where to go on, as in the reference
  // of the command line; nothing: where the table says. kInvalid: `from` is not understood. kConflict: it stays paused.
  virtual void Resume(std::string_view table, std::optional<std::string> from, std::function<void(Result<Json>)> done) = 0;
  virtual std::string Metrics() = 0;
};

}  // namespace sluice::front::http
