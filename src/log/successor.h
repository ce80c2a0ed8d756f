// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A log that goes on behind tables which are ahead of an older log, as the one of a restored backup is.
//
//   offsets   0 ............ old log ends .......... table ends ......▶
//   old log   [############]
//   table     [##################################]
//   new log                                       [ begins here       what the old log has and the table has not is kept
//
// It has an id of its own, so that nobody takes its offsets for those that the lost log gave, and the old log's secret, so that it
// knows the same events again.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/path.h"
#include "base/result.h"
#include "base/time.h"
#include "io/env.h"
#include "log/log.h"

namespace sluice::log {

// Where a table ends in one log partition.
struct TableEnd {
  Offset next;
  std::optional<uint32_t> chain;  // up to `next`, when the old log itself fed the table
};

// A row of a table: which event it is.
struct TableRow {
  std::string_view tenant, source, id;
  LogPartition partition;
  Offset offset;
  Timestamp append_time;
};

// What a successor is told of the tables.
struct SuccessorTables {
  using Visit = std::function<Result<void>(const TableRow&)>;
  // By topic. Partitions that are not named have no row in the table. A topic without a table goes on as it is.
  std::map<std::string, std::map<LogPartition, TableEnd>> ends;
  // Shows the rows of the table of `topic` from the offset `from` of any partition on; it may show others, too.
  std::function<Result<void>(const std::string& topic, Offset from, const Visit& visit)> visit_rows;
  // Entries of state topics that replace the old log's, by key.
  std::map<std::string, std::map<std::string, std::string>> state;
};

struct SuccessorReport {
  struct Partition {
    Offset log_end, table_end;
    uint64_t kept = 0;  // offsets that the old log has and the table has not
  };
  std::string journal_id;
  std::map<std::string, std::map<LogPartition, Partition>> topics;  // those with tables that the old log knows
  uint64_t keys_learnt = 0;  // events of the tables that will be known as duplicates
};

// Makes the log in `to` (which must not exist) from the one in `from`, which is not changed and must not be in use. Its segments are
// as large as the old one's; of `options` the bounds of dedup runs count.
// kInvalid: a table and the log diverge, or both lack events. kCorruption: `from` is damaged. Errors of `visit_rows` pass through.
// After an error what is in `to` is not whole.
Result<SuccessorReport> MakeSuccessor(io::Env env, const Path& from, const Path& to, const LogOptions& options, const SuccessorTables& tables);

}  // namespace sluice::log
