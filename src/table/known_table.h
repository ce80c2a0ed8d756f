// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the log remembers of the table that a topic feeds, in its state topic `__tables` (key: the topic). A table can be dropped,
// made anew or set back by anybody who can reach the catalog; the log then still knows which one it fed, and how far.
//
//   {"v":1,"uuid":"9c2f...","progress":"<as in the property sluice.feed.<topic>>"}

#include <string>
#include <string_view>

#include "base/result.h"
#include "table/feed_progress.h"

namespace sluice::table {

inline constexpr std::string_view kTablesStateTopic = "__tables";

struct KnownTable {
  std::string uuid;
  FeedProgress progress;  // at least this far: a crash may have come between a table commit and this entry
  bool operator==(const KnownTable&) const = default;
};

std::string FormatKnownTable(const KnownTable& known);
// kCorruption: not such a value, or of a later version.
Result<KnownTable> ParseKnownTable(std::string_view text);

}  // namespace sluice::table
