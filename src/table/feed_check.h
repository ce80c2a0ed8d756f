// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Whether a table and a log belong together: the same journal, the same chain up to where the table ends. Asked at every load and
// commit of a table, and by `sluice check`.

#include <optional>
#include <string>

#include "base/result.h"
#include "iceberg/table_metadata.h"
#include "log/reader.h"
#include "table/feed_progress.h"
#include "table/topic_name.h"

namespace sluice::table {

// The log's side of a feed.
struct FeedSource {
  std::string topic;
  std::string journal_id;
  PartitionOffsets first_offsets;  // where the topic's partitions began, if not at 0: a table that ended there may go on with it
};

// Partitions that a map leaves out stand at 0.
bool SameOffsets(const PartitionOffsets& a, const PartitionOffsets& b);

// The progress in the table's property. kInvalid: there is none, or it is of another log; the hint says the way out. kCorruption: it
// cannot be read.
Result<FeedProgress> CheckFeedOwner(const TableName& table, const iceberg::TableMetadata& metadata, const FeedSource& source);

// Where the rows of the table's main branch end, by the newest of its snapshots whose summary says so: what is really in it, whatever
// the property says. Nothing: no snapshot does.
std::optional<FeedProgress> ContentProgress(const iceberg::TableMetadata& metadata, const std::string& topic);

// kInvalid: the log ends before the table does, as one from a backup. Errors of reading the log pass through, here and below.
Result<void> CheckLogReachesTable(const TableName& table, const FeedProgress& progress, const FeedSource& source, log::LogSource& log);

// The log reaches `progress`, is the one that the table was fed from up to there, and has all that lies behind. kInvalid: it went its
// own way, or files of it are missing.
Result<void> CheckLogFedTable(const TableName& table, const FeedProgress& progress, const FeedSource& source, log::LogSource& log);

}  // namespace sluice::table
