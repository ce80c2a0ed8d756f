// SPDX-License-Identifier: Apache-2.0
#include "table/feed_check.h"

#include "iceberg/snapshot_history.h"

namespace sluice::table {
namespace {

// Whether each offset of `a` is the one of `b`.
bool Agrees(const PartitionOffsets& a, const PartitionOffsets& b) {
  for (auto& [partition, offset] : a) {
    auto at = b.find(partition);
    if ((at == b.end() ? log::Offset(0) : at->second) != offset) return false;
  }
  return true;
}

std::string Where(const FeedSource& source, log::LogPartition partition) {
  return "partition " + std::to_string(partition.get()) + " of \"" + source.topic + "\"";
}

}  // namespace

bool SameOffsets(const PartitionOffsets& a, const PartitionOffsets& b) { return Agrees(a, b) && Agrees(b, a); }

Result<FeedProgress> CheckFeedOwner(const TableName& table, const iceberg::TableMetadata& metadata, const FeedSource& source) {
  const auto property = FeedPropertyName(source.topic);
  auto refused = [&](const std::string& why, const std::string& hint) {
    return Error{ErrorCode::kInvalid, "the table " + table.ToString() + " " + why, hint};
  };
  auto at = metadata.properties.find(property);
  if (at == metadata.properties.end())
    return refused("has no property \"" + property + "\"",
                   "somebody removed it or made the table; `sluice table resume " + table.ToString() + " --from` sets where to go on");
  ASSIGN_OR_RETURN(auto progress, ParseFeedProgress(at->second));
  if (progress.journal_id == source.journal_id) return progress;
  // A new log that was told where the table ends begins its partitions there: the same offset never names two events.
  if (SameOffsets(progress.offsets(), source.first_offsets)) return progress;
  return refused("belongs to the log " + progress.journal_id + ", this is " + source.journal_id,
                 "this directory is a copy, or a new log for an old warehouse: `sluice restore` tells the ways out");
}

std::optional<FeedProgress> ContentProgress(const iceberg::TableMetadata& metadata, const std::string& topic) {
  if (!metadata.current_snapshot_id) return std::nullopt;
  for (auto* snapshot : iceberg::AncestorsOf(metadata, *metadata.current_snapshot_id)) {
    auto at = snapshot->summary.find(FeedPropertyName(topic));
    if (at == snapshot->summary.end()) continue;
    auto progress = ParseFeedProgress(at->second);
    if (progress.ok()) return std::move(*progress);
  }
  return std::nullopt;
}

Result<void> CheckLogReachesTable(const TableName& table, const FeedProgress& progress, const FeedSource& source, log::LogSource& log) {
  if (progress.journal_id != source.journal_id) return {};  // a new log, which begins where the table ends
  auto known = log.DurableEnds(source.topic);
  if (!known.ok() && known.error().code != ErrorCode::kNotFound) return known.error();
  const auto ends = known.ok() ? std::move(*known) : PartitionOffsets();  // a topic that came after the log was saved
  for (auto& [partition, p] : progress.partitions) {
    auto end = ends.find(partition);
    if (p.next <= (end == ends.end() ? log::Offset(0) : end->second)) continue;
    return Error{ErrorCode::kInvalid,
                 "the table " + table.ToString() + " ends at offset " + std::to_string(p.next.get()) + " of " + Where(source, partition) +
                     ", the log ends before it" + (end == ends.end() ? "" : ", at " + std::to_string(end->second.get())),
                 "the log is older than the table (a restored backup?): `sluice restore` goes on behind the table"};
  }
  return {};
}

namespace {

// What the table does not have, the log must still have.
Result<void> CheckNothingIsMissing(const TableName& table, const FeedProgress& progress, const FeedSource& source, log::LogSource& log) {
  ASSIGN_OR_RETURN(auto firsts, log.FirstRetained(source.topic));
  for (auto& [partition, first] : firsts) {
    auto at = progress.partitions.find(partition);
    const auto next = at == progress.partitions.end() ? log::Offset(0) : at->second.next;
    if (first <= next) continue;
    return Error{ErrorCode::kInvalid,
                 "the table " + table.ToString() + " ends at offset " + std::to_string(next.get()) + " of " + Where(source, partition) +
                     ", the log has events only from " + std::to_string(first.get()) + " on",
                 "files of the log are missing: restore them from a backup; `sluice table resume " + table.ToString() +
                     " --from` goes on without them"};
  }
  return {};
}

}  // namespace

Result<void> CheckLogFedTable(const TableName& table, const FeedProgress& progress, const FeedSource& source, log::LogSource& log) {
  RETURN_IF_ERROR(CheckLogReachesTable(table, progress, source, log));
  RETURN_IF_ERROR(CheckNothingIsMissing(table, progress, source, log));
  if (progress.journal_id != source.journal_id) return {};
  for (auto& [partition, p] : progress.partitions) {
    if (p.next.get() == 0) continue;
    auto chain = log.ChainAt(source.topic, partition, p.next);
    if (!chain.ok() && chain.error().code != ErrorCode::kNotFound) return chain.error();
    if (!chain.ok() || *chain != p.chain)
      return Error{ErrorCode::kInvalid,
                   "the log and the table " + table.ToString() + " diverge before offset " + std::to_string(p.next.get()) + " of " +
                       Where(source, partition),
                   "this directory is a divergent copy: only one of the copies may go on; `sluice restore` tells whether this one can"};
  }
  return {};
}

}  // namespace sluice::table
