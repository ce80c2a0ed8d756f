// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Entries of a state topic as a RecordBatch v2: record key = entry key, record value = newest value (null: removed).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/types.h"

namespace sluice::log {

struct StateEntry {
  std::string key;
  std::optional<std::string> value;  // none: the key is removed
  bool operator==(const StateEntry&) const = default;
};

// REQUIRES: at least one entry; together below 1 GiB.
std::string EncodeStateBatch(const std::vector<StateEntry>& entries, Offset base_offset, Timestamp append_time);
// kCorruption: not such a RecordBatch, or its CRC is wrong.
Result<std::vector<StateEntry>> DecodeStateBatch(std::string_view record_batch);

}  // namespace sluice::log
