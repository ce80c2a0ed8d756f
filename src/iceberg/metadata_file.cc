// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/metadata_file.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/path.h"
#include "iceberg/snapshot_producer.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kPreviousVersionsMax = 100;
constexpr int64_t kVersionMax = 1'000'000'000;  // beyond it, a number in a name is no version of ours

// The number in front of "00012-<uuid>.metadata.json" or of "v12.metadata.json"; -1 when there is none.
int64_t VersionOf(const std::string& location) {
  std::string name = base::FileName(location);
  size_t skip = name.starts_with('v') ? 1 : 0;
  int64_t version = -1;
  std::from_chars(name.data() + skip, name.data() + name.size(), version);
  return version <= kVersionMax ? version : -1;
}

}  // namespace

std::string NextMetadataLocation(const TableMetadata& table, const std::string& previous, const std::string& uuid) {
  int64_t version = previous.empty() ? 0 : VersionOf(previous) + 1;
  char number[32];
  std::snprintf(number, sizeof number, "%05lld", static_cast<long long>(version));
  return MetadataDirectory(table) + "/" + number + "-" + uuid + ".metadata.json";
}

std::vector<std::string> LogPreviousMetadata(TableMetadata& next, const std::string& previous, int64_t previous_updated_ms) {
  next.metadata_log.push_back({previous_updated_ms, previous});
  auto kept = static_cast<size_t>(std::max<int64_t>(1, next.PropertyInt("write.metadata.previous-versions-max", kPreviousVersionsMax)));
  std::vector<std::string> cut;
  if (next.metadata_log.size() <= kept) return cut;
  auto end = next.metadata_log.end() - static_cast<ptrdiff_t>(kept);
  for (auto it = next.metadata_log.begin(); it != end; ++it) cut.push_back(it->metadata_file);
  next.metadata_log.erase(next.metadata_log.begin(), end);
  return cut;
}

SwapOutcome JudgeSwap(const TableMetadata& current, const std::string& location, const std::string& base, const std::string& ours) {
  if (location == ours) return SwapOutcome::kLanded;
  if (location == base) return SwapOutcome::kPending;
  bool base_seen = false;
  for (const MetadataLogEntry& entry : current.metadata_log) {
    if (entry.metadata_file == ours) return SwapOutcome::kLanded;
    base_seen = base_seen || entry.metadata_file == base;
  }
  return base_seen ? SwapOutcome::kLost : SwapOutcome::kUnknown;
}

}  // namespace sluice::iceberg
