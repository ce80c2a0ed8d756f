// SPDX-License-Identifier: Apache-2.0
//
// The property in which a table keeps its progress: anybody who may write the table may write it.

#include "base/check.h"
#include "base/fuzz_target.h"
#include "table/feed_progress.h"

namespace sluice::table {
namespace {

void Run(std::string_view input) {
  auto progress = ParseFeedProgress(input);
  if (!progress.ok()) return;
  for (auto& [partition, p] : progress->partitions) CHECK(partition.get() >= 0 && p.next.get() >= 0, "offsets and partitions are not negative");
  auto again = ParseFeedProgress(FormatFeedProgress(*progress));
  CHECK(again.ok() && *again == *progress, "what was read can be written and reads the same");
}

std::vector<std::string> Seeds() {
  FeedProgress progress;
  progress.journal_id = "4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a";
  std::vector<std::string> seeds = {FormatFeedProgress(progress)};
  progress.partitions[log::LogPartition(0)] = {log::Offset(1707), 0x89abcdef};
  progress.partitions[log::LogPartition(11)] = {log::Offset(0), 0};
  seeds.push_back(FormatFeedProgress(progress));
  return seeds;
}

const base::FuzzRegistration kRegistration({"feed_progress", Run, Seeds});

}  // namespace
}  // namespace sluice::table
