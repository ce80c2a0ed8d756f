// SPDX-License-Identifier: Apache-2.0
#include "log/internal/topic_table.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kTopicNameMax = 201;

bool IsLowerAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Result<TopicConfig> DecodeTopicConfig(const std::string& text) {
  ASSIGN_OR_RETURN(Json json, Json::Parse(text));
  TopicConfig config;
  ASSIGN_OR_RETURN(int64_t partitions, json.RequireInt("partitions"));
  config.partitions = static_cast<int32_t>(partitions);
  for (const auto& pointer : json["key_pointers"].AsArray()) config.key_pointers.push_back(pointer.AsString());
  for (const auto& [name, offset] : json["first_offsets"].AsObject()) {
    int32_t partition = -1;
    std::from_chars(name.data(), name.data() + name.size(), partition);
    config.first_offsets[LogPartition(partition)] = Offset(offset.AsInt());
  }
  bool good = config.partitions > 0 && config.partitions <= kPartitionsMax;
  for (auto [partition, offset] : config.first_offsets) good = good && partition.get() >= 0 && partition.get() < config.partitions;
  if (!good) return Error{ErrorCode::kCorruption, "a topic's configuration is not what was written", {}};
  return config;
}

Error DoesNotFollow(const Frame& frame, const Topic::Partition& p) {
  return Error{ErrorCode::kCorruption, "a frame of topic '" + std::string(frame.topic) + "', log partition " + std::to_string(frame.partition.get()) +
               " begins at offset " + std::to_string(frame.base_offset.get()) + ", the one before it ends at " + std::to_string(p.next.get()),
               "frames are missing: restore the journal from a backup"};
}

}  // namespace

Topic::Topic(std::string name, TopicConfig config)
    : name_(std::move(name)), config_(std::move(config)), partitions_(static_cast<size_t>(config_.partitions)) {
  for (auto [partition, offset] : config_.first_offsets) {
    auto& p = partitions_[static_cast<size_t>(partition.get())];
    p.next = p.durable_next = p.cut_next = p.tiered = offset;
  }
}

Result<void> CheckTopicName(std::string_view name) {
  bool good = !name.empty() && name.size() <= kTopicNameMax && IsLowerAlnum(name[0]) && name.find("__") == name.npos &&
              std::all_of(name.begin(), name.end(), [](char c) { return IsLowerAlnum(c) || c == '_' || c == '-'; });
  if (good) return {};
  return Error{ErrorCode::kInvalid, "'" + std::string(name.substr(0, kTopicNameMax)) + "' is no name of a topic",
               "use 1 to 201 of a-z, 0-9, '_', '-', beginning with a letter or digit, without '__'"};
}

std::string EncodeTopicConfig(const TopicConfig& config) {
  Json json, pointers = Json::MakeArray(), offsets = Json::MakeObject();
  for (const auto& pointer : config.key_pointers) pointers.Append(pointer);
  for (auto [partition, offset] : config.first_offsets) offsets.Set(std::to_string(partition.get()), offset.get());
  json.Set("partitions", static_cast<int64_t>(config.partitions));
  json.Set("key_pointers", std::move(pointers));
  json.Set("first_offsets", std::move(offsets));
  return json.Dump();
}

Topic* TopicTable::Find(std::string_view name) const {
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

Offset TopicTable::NextStateOffset(std::string_view state_topic) const {
  auto found = state_.find(state_topic);
  return found == state_.end() ? Offset() : found->second.next;
}

Result<void> TopicTable::PutTopic(const std::string& name, const std::string& text) {
  ASSIGN_OR_RETURN(TopicConfig config, DecodeTopicConfig(text));
  auto& topic = topics_[name];
  if (topic == nullptr) {
    topic = std::make_unique<Topic>(name, std::move(config));
  } else {
    CHECK(topic->config_.partitions == config.partitions, "a topic keeps its number of partitions");
    topic->config_ = std::move(config);
  }
  return {};
}

Result<void> TopicTable::ApplyState(std::string_view state_topic, const std::vector<StateEntry>& entries, Offset next) {
  auto& data = state_[std::string(state_topic)];
  for (const auto& entry : entries) {
    if (!entry.value) {
      data.values.erase(entry.key);
      continue;
    }
    if (state_topic == kTopicsStateTopic) RETURN_IF_ERROR(PutTopic(entry.key, *entry.value));
    data.values.insert_or_assign(entry.key, *entry.value);
  }
  data.next = next;
  return {};
}

void TopicTable::Advance(Topic& topic, const Frame& frame) {
  auto& p = PartitionOf(topic, frame.partition);
  p.next = frame.next_offset;
  p.chain = frame.chain;
  p.event_time_max = frame.event_time_max;
}

Result<void> TopicTable::Replay(const Frame& frame) {
  if (frame.kind == FrameKind::kState) {
    ASSIGN_OR_RETURN(auto entries, DecodeStateBatch(frame.record_batch));
    return ApplyState(frame.topic, entries, frame.next_offset);
  }
  Topic* topic = Find(frame.topic);
  if (topic == nullptr || frame.partition.get() < 0 || frame.partition.get() >= topic->partition_count()) {
    return Error{ErrorCode::kCorruption, "a frame names the unknown topic '" + std::string(frame.topic) + "'", {}};
  }
  const auto& p = PartitionOf(*topic, frame.partition);
  if (frame.base_offset != p.next || frame.chain_before != p.chain) return DoesNotFollow(frame, p);
  Advance(*topic, frame);
  return {};
}

Json TopicTable::ToJson() const {
  Json json, topics = Json::MakeObject(), state = Json::MakeObject();
  for (const auto& [name, topic] : topics_) {
    Json partitions = Json::MakeArray();
    for (const auto& p : topic->partitions_) {
      Json one;
      one.Set("next", p.next.get());
      one.Set("chain", static_cast<int64_t>(p.chain));
      one.Set("event_time_max", p.event_time_max.us);
      one.Set("tiered", p.tiered.get());
      partitions.Append(std::move(one));
    }
    topics.Set(name, std::move(partitions));
  }
  for (const auto& [name, data] : state_) {
    Json one, values = Json::MakeObject();
    for (const auto& [key, value] : data.values) values.Set(base::ToHex(key), base::ToHex(value));
    one.Set("next", data.next.get());
    one.Set("values", std::move(values));
    state.Set(name, std::move(one));
  }
  json.Set("state", std::move(state));
  json.Set("topics", std::move(topics));
  return json;
}

Result<TopicTable> TopicTable::FromJson(const Json& json) {
  TopicTable table;
  for (const auto& [name, one] : json["state"].AsObject()) {
    std::vector<StateEntry> entries;
    for (const auto& [key, value] : one["values"].AsObject()) {
      StateEntry entry{{}, std::string()};
      bool good = base::FromHex(key, entry.key) && base::FromHex(value.AsString(), *entry.value);
      if (!good) return Error{ErrorCode::kCorruption, "the state of '" + name + "' cannot be read", {}};
      entries.push_back(std::move(entry));
    }
    RETURN_IF_ERROR(table.ApplyState(name, entries, Offset(one["next"].AsInt())));
  }
  for (const auto& [name, partitions] : json["topics"].AsObject()) {
    Topic* topic = table.Find(name);
    if (topic == nullptr || partitions.AsArray().size() != topic->partitions_.size()) {
      return Error{ErrorCode::kCorruption, "the partitions of topic '" + name + "' cannot be read", {}};
    }
    for (size_t i = 0; i < topic->partitions_.size(); i++) {
      const Json& one = partitions.AsArray()[i];
      auto& p = topic->partitions_[i];
      p.next = p.durable_next = p.cut_next = Offset(one["next"].AsInt());
      p.chain = static_cast<uint32_t>(one["chain"].AsInt());
      p.event_time_max = Timestamp{one["event_time_max"].AsInt()};
      p.tiered = Offset(one["tiered"].AsInt());
    }
  }
  return table;
}

}  // namespace sluice::log
