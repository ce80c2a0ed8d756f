// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Names, log and checksum of metadata files: "<location>/metadata/00012-<uuid>.metadata.json".

#include <string>
#include <string_view>
#include <vector>

#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// The name behind `previous` (empty: the first), with `uuid` in it.
std::string NextMetadataLocation(const TableMetadata& table, const std::string& previous, const std::string& uuid);

// Appends `previous` to the metadata log and cuts the log to write.metadata.previous-versions-max. Returns what was cut off.
std::vector<std::string> LogPreviousMetadata(TableMetadata& next, const std::string& previous, int64_t previous_updated_ms);

// A member of the files that are written here: JSON itself would not notice a flipped digit. It begins with the file's "last-updated-ms", so
// that an engine that takes it over into a file of its own, unknown to it as it is, proves nothing with it.
constexpr std::string_view kMetadataChecksum = "sluice-checksum";
// Of a document without that member.
std::string ChecksumOfMetadata(const Json& json);

// How `current` (at `location`) came to be, seen from a compare-and-set from `base` to `ours`.
enum class SwapOutcome : uint8_t {
  kPending,  // the table is still at `base`: the set was lost, or is still under way
  kLanded,   // `ours` is current or was
  kLost,     // another file followed `base`: ours can never land
  kUnknown,  // `base` is no longer in the log
};
SwapOutcome JudgeSwap(const TableMetadata& current, const std::string& location, const std::string& base, const std::string& ours);

}  // namespace sluice::iceberg
