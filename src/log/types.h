// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The words of the log. Ranges are half-open: [begin, end).

#include <cstdint>
#include <string>

#include "base/named_int.h"

namespace sluice::log {

using Offset = NamedInt<struct OffsetTag, int64_t>;               // of an event in its log partition, from 0; gaps are legal
using LogPartition = NamedInt<struct LogPartitionTag, int32_t>;   // of a topic, from 0
using CommitSequence = NamedInt<struct CommitSequenceTag, uint64_t>;  // of a journal commit, from 1

struct TopicPartition {
  std::string topic;
  LogPartition partition;
  auto operator<=>(const TopicPartition&) const = default;
};

}  // namespace sluice::log
