// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How far a table's snapshot reaches into its topic: the value of the table property `sluice.feed.<topic>`, which changes only
// together with the snapshot, in one metadata file.
//
//   {"v":1,"journal":"<32 hex digits>","partitions":{"0":{"next":1707,"chain":"89abcdef"},"1":{...}}}

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/types.h"

namespace sluice::table {

// The first offset of each log partition that is not in something.
using PartitionOffsets = std::map<log::LogPartition, log::Offset>;

struct PartitionProgress {
  log::Offset next;    // the first offset that is not in the table
  uint32_t chain = 0;  // CRC chain of the log partition up to `next`: tells a diverged copy of the log
  bool operator==(const PartitionProgress&) const = default;
};

struct FeedProgress {
  std::string journal_id;
  std::map<log::LogPartition, PartitionProgress> partitions;  // all that ever had a row here
  bool operator==(const FeedProgress&) const = default;

  PartitionOffsets offsets() const;
};

inline constexpr std::string_view kFeedPropertyPrefix = "sluice.feed.";
std::string FeedPropertyName(std::string_view topic);

std::string FormatFeedProgress(const FeedProgress& progress);
// kCorruption: not such a value, or of a later version.
Result<FeedProgress> ParseFeedProgress(std::string_view text);

}  // namespace sluice::table
