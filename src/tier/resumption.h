// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Where a paused table goes on. Nothing is guessed: whoever resumes it says one of
//
//   table   behind the rows that its own newest snapshot says it holds       property removed or set back
//   hot     with the events that were in no table yet                        dropped, or copied and swapped by somebody
//   log     with the oldest event that the log still has                     dropped, and the new one is to hold all there is
//   P:N,..  at these offsets of these log partitions; others as `table`, else `hot`
//
// and is refused where rows would be in the table twice, or acknowledged events in none.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/data_file_options.h"
#include "io/env.h"
#include "log/reader.h"
#include "table/feed_check.h"
#include "table/table_committer.h"
#include "tier/writing_turns.h"

namespace sluice::tier {

struct ResumeFrom {
  enum class Kind : uint8_t { kTable, kHot, kLog, kOffsets } kind = Kind::kTable;
  table::PartitionOffsets offsets;  // kOffsets
};
// kInvalid says what is possible.
Result<ResumeFrom> ParseResumeFrom(std::string_view text);

// What is known of the table when it is resumed.
struct ResumeSituation {
  std::optional<table::FeedProgress> content;  // ContentProgress of its metadata
  std::optional<table::FeedProgress> known;    // how far the log remembers to have fed it, or the one before it
  bool has_rows = false;
};

// The progress to go on with. kInvalid: not from there; the message says why, the hint what would do. Errors of the log pass through.
Result<table::FeedProgress> PlanResumption(const ResumeFrom& from, const ResumeSituation& situation, const table::FeedSource& source,
                                           log::LogSource& log);

// Writes what lies between the adopted table's progress and the first rows in memory from the log into the table, in commits that
// are not published. REQUIRES: committer.Adopt succeeded and returned `version`; nothing is tiered or dropped meanwhile.
// On error the table's progress says how far it came.
Result<void> Refill(io::Env env, log::LogSource& log, table::Table& table, table::ChunkMemory& memory, table::TableCommitter& committer,
                    WritingTurns& turns, std::shared_ptr<const table::TableVersion> version, const iceberg::DataFileOptions& files);

}  // namespace sluice::tier
