// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The state of the log that a checkpoint holds: topics with their offsets, chains and watermarks, and the state topics' newest
// values. It changes by frames only: those that admission makes, and the same ones when the journal is read back.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "log/internal/state_batch.h"
#include "log/log.h"

namespace sluice::log {

inline constexpr std::string_view kTopicsStateTopic = "__topics";  // topic name -> its TopicConfig as JSON

// [a-z0-9][a-z0-9_-]{0,200}, no "__". kInvalid says so.
Result<void> CheckTopicName(std::string_view name);

// Not thread-safe.
class TopicTable {
 public:
  using StateValues = std::map<std::string, std::string, std::less<>>;
  struct StateTopicData {
    Offset next;
    StateValues values;
  };

  Topic* Find(std::string_view name) const;
  const std::map<std::string, std::unique_ptr<Topic>, std::less<>>& topics() const { return topics_; }
  const std::map<std::string, StateTopicData, std::less<>>& state() const { return state_; }
  Offset NextStateOffset(std::string_view state_topic) const;

  // One entry of a state topic; of kTopicsStateTopic: makes or changes the topic. kCorruption: a value that cannot be read.
  Result<void> ApplyState(std::string_view state_topic, const std::vector<StateEntry>& entries, Offset next);
  // A frame read back from the journal. kCorruption: it does not follow on what came before.
  Result<void> Replay(const Frame& frame);
  // A frame that was just admitted.
  static void Advance(Topic& topic, const Frame& frame);
  static Topic::Partition& PartitionOf(Topic& topic, LogPartition partition) { return topic.partitions_[static_cast<size_t>(partition.get())]; }
  static uint64_t& UntieredBytesOf(Topic& topic) { return topic.untiered_bytes_; }

  Json ToJson() const;
  static Result<TopicTable> FromJson(const Json& json);

 private:
  Result<void> PutTopic(const std::string& name, const std::string& config);
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  std::map<std::string, StateTopicData, std::less<>> state_;
};

std::string EncodeTopicConfig(const TopicConfig& config);

}  // namespace sluice::log
