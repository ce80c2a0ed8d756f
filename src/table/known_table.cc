// SPDX-License-Identifier: Apache-2.0
#include "table/known_table.h"

#include "base/json.h"

namespace sluice::table {
namespace {

constexpr int64_t kKnownTableVersion = 1;

}  // namespace

std::string FormatKnownTable(const KnownTable& known) {
  Json out;
  out.Set("v", kKnownTableVersion);
  out.Set("uuid", known.uuid);
  out.Set("progress", FormatFeedProgress(known.progress));
  return out.Dump();
}

Result<KnownTable> ParseKnownTable(std::string_view text) {
  auto json = Json::Parse(text);
  if (!json.ok() || (*json)["v"].AsInt() != kKnownTableVersion || (*json)["uuid"].AsString().empty())
    return Error{ErrorCode::kCorruption, "an entry of " + std::string(kTablesStateTopic) + " cannot be read",
                 "it was written by another version of Sluice"};
  KnownTable out;
  out.uuid = (*json)["uuid"].AsString();
  ASSIGN_OR_RETURN(out.progress, ParseFeedProgress((*json)["progress"].AsString()));
  return out;
}

}  // namespace sluice::table
