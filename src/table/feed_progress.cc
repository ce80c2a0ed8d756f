// SPDX-License-Identifier: Apache-2.0
#include "table/feed_progress.h"

#include <charconv>

#include "base/bytes.h"
#include "base/json.h"

namespace sluice::table {
namespace {

constexpr int64_t kFeedProgressVersion = 1;

std::string FormatChain(uint32_t chain) {
  std::string bytes;
  base::AppendBig(bytes, chain);
  return base::ToHex(bytes);
}

Result<uint32_t> ParseChain(const std::string& text) {
  std::string bytes;
  if (text.size() != 8 || !base::FromHex(text, bytes)) return Error{ErrorCode::kCorruption, "the chain \"" + text + "\" is not 8 hexadecimal digits", {}};
  return base::GetBig<uint32_t>(bytes.data());
}

}  // namespace

PartitionOffsets FeedProgress::offsets() const {
  PartitionOffsets out;
  for (auto& [partition, progress] : partitions) out[partition] = progress.next;
  return out;
}

std::string FeedPropertyName(std::string_view topic) { return std::string(kFeedPropertyPrefix) + std::string(topic); }

std::string FormatFeedProgress(const FeedProgress& progress) {
  Json partitions = Json::MakeObject();
  for (auto& [partition, p] : progress.partitions) {
    Json entry;
    entry.Set("next", p.next.get());
    entry.Set("chain", FormatChain(p.chain));
    partitions.Set(std::to_string(partition.get()), std::move(entry));
  }
  Json out;
  out.Set("v", kFeedProgressVersion);
  out.Set("journal", progress.journal_id);
  out.Set("partitions", std::move(partitions));
  return out.Dump();
}

Result<FeedProgress> ParseFeedProgress(std::string_view text) {
  auto damaged = [&](const std::string& why) {
    return Error{ErrorCode::kCorruption, "the progress property is not readable: " + why, "the table pauses; `sluice table resume --from` sets it anew"};
  };
  auto json = Json::Parse(text);
  if (!json.ok()) return damaged(json.error().message);
  if ((*json)["v"].AsInt() != kFeedProgressVersion) return damaged("version " + (*json)["v"].Dump() + " is not " + std::to_string(kFeedProgressVersion));
  FeedProgress out;
  out.journal_id = (*json)["journal"].AsString();
  if (out.journal_id.empty() || !(*json)["partitions"].is_object()) return damaged("\"journal\" or \"partitions\" is missing");
  for (auto& [name, entry] : (*json)["partitions"].AsObject()) {
    int32_t partition = -1;
    auto parsed = std::from_chars(name.data(), name.data() + name.size(), partition);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || partition < 0) return damaged("\"" + name + "\" is no partition");
    auto chain = ParseChain(entry["chain"].AsString());
    if (!chain.ok()) return damaged(chain.error().message);
    if (!entry["next"].is_int() || entry["next"].AsInt() < 0) return damaged("partition " + name + " has no next offset");
    out.partitions[log::LogPartition(partition)] = {log::Offset(entry["next"].AsInt()), *chain};
  }
  return out;
}

}  // namespace sluice::table
