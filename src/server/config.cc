// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include <yaml-cpp/yaml.h>

#include <vector>

#include "server/config_keys.h"
#include "table/event_schema.h"
#include "table/topic_name.h"

namespace sluice::server {
namespace {

// Where a key stands, for messages.
struct Place {
  std::string file;
  Error Refuse(const YAML::Node& node, const std::string& what, std::string hint = {}) const {
    return Error{ErrorCode::kInvalid, file + ":" + std::to_string(node.Mark().line + 1) + ": " + what, std::move(hint)};
  }
};

std::string DidYouMean(std::string_view name, std::span<const std::string_view> known) {
  auto nearest = Nearest(name, known);
  return nearest.empty() ? "docs/reference/configuration.md lists the settings" : "did you mean \"" + nearest + "\"?";
}

Result<std::string> Scalar(const YAML::Node& node, const Place& place, const std::string& name) {
  if (!node.IsScalar()) return place.Refuse(node, "\"" + name + "\" is no single value");
  return node.Scalar();
}

Result<void> ApplyRules(const YAML::Node& rules, const Place& place, ServerOptions& options) {
  if (!rules.IsSequence()) return place.Refuse(rules, "\"routing.rules\" is no list", "write [{type: \"order.*\", topic: raw-orders}]");
  options.routing.rules.clear();
  for (auto rule : rules) {
    if (!rule.IsMap() || !rule["type"] || !rule["topic"] || rule.size() != 2)
      return place.Refuse(rule, "a routing rule has exactly \"type\" and \"topic\"", "write {type: \"order.*\", topic: raw-orders}");
    ASSIGN_OR_RETURN(auto pattern, Scalar(rule["type"], place, "type"));
    ASSIGN_OR_RETURN(auto topic, Scalar(rule["topic"], place, "topic"));
    options.routing.rules.push_back({std::move(pattern), std::move(topic)});
  }
  return {};
}

Result<void> ApplyTopicSetting(const std::string& name, const YAML::Node& value, const Place& place, TopicOptions& topic) {
  static constexpr std::string_view kNames[] = {"partitions", "key", "partitioning", "table"};
  if (name == "key") {
    if (!value.IsSequence()) return place.Refuse(value, "\"key\" is no list of JSON pointers", "write key: [/data/user_id]");
    for (auto pointer : value) {
      ASSIGN_OR_RETURN(auto text, Scalar(pointer, place, "key"));
      if (text.empty() || text[0] != '/') return place.Refuse(pointer, "\"" + text + "\" is no JSON pointer", "it begins with '/', for example /data/user_id");
      topic.key.push_back(std::move(text));
    }
    return {};
  }
  ASSIGN_OR_RETURN(auto text, Scalar(value, place, name));
  if (name == "partitions") {
    topic.partitions = value.as<int32_t>(0);
    if (topic.partitions < 1 || topic.partitions > log::kPartitionsMax)
      return place.Refuse(value, "\"partitions\" is not between 1 and " + std::to_string(log::kPartitionsMax));
  } else if (name == "partitioning") {
    if (auto spec = table::ParsePartitioning(text); !spec.ok()) return place.Refuse(value, spec.error().message, spec.error().hint);
    topic.partitioning = text;
  } else if (name == "table") {
    if (auto parsed = table::ParseTableName(text); !parsed.ok()) return place.Refuse(value, parsed.error().message, parsed.error().hint);
    topic.table = text;
  } else {
    return place.Refuse(value, "a topic has no setting \"" + name + "\"", DidYouMean(name, kNames));
  }
  return {};
}

Result<void> ApplyTopics(const YAML::Node& topics, const Place& place, ServerOptions& options) {
  if (!topics.IsMap()) return place.Refuse(topics, "\"topics\" is no map from topic names to settings");
  for (auto entry : topics) {
    const auto name = entry.first.as<std::string>();
    if (auto checked = table::CheckTopicName(name); !checked.ok()) return place.Refuse(entry.first, checked.error().message, checked.error().hint);
    if (!entry.second.IsMap()) return place.Refuse(entry.second, "the topic \"" + name + "\" has no settings", "write " + name + ": {partitions: 6}");
    for (auto setting : entry.second)
      RETURN_IF_ERROR(ApplyTopicSetting(setting.first.as<std::string>(), setting.second, place, options.topics[name]));
  }
  return {};
}

Result<void> ApplyMap(const YAML::Node& node, const std::string& prefix, const Place& place, ServerOptions& options) {
  for (auto entry : node) {
    const std::string name = prefix + entry.first.as<std::string>();
    if (name == "topics") {
      RETURN_IF_ERROR(ApplyTopics(entry.second, place, options));
    } else if (name == "routing.rules") {
      RETURN_IF_ERROR(ApplyRules(entry.second, place, options));
    } else if (auto* key = FindConfigKey(name)) {
      ASSIGN_OR_RETURN(auto text, Scalar(entry.second, place, name));
      if (auto set = key->set(options, text); !set.ok()) return place.Refuse(entry.second, "\"" + name + "\": " + set.error().message, set.error().hint);
    } else if (entry.second.IsMap()) {
      RETURN_IF_ERROR(ApplyMap(entry.second, name + ".", place, options));
    } else {
      std::vector<std::string_view> known{"topics", "routing.rules"};
      for (auto& k : ConfigKeys()) known.push_back(k.name);
      return place.Refuse(entry.first, "there is no setting \"" + name + "\"", DidYouMean(name, known));
    }
  }
  return {};
}

}  // namespace

Result<void> ApplyConfigText(std::string_view yaml, const std::string& file, ServerOptions& options) {
  const Place place{file};
  try {  // yaml-cpp throws on syntax and on conversions
    YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) return {};
    if (!root.IsMap()) return place.Refuse(root, "the file is no map of settings", "write lines such as `listen: 127.0.0.1:8080`");
    return ApplyMap(root, "", place, options);
  } catch (const YAML::Exception& e) {
    return Error{ErrorCode::kInvalid, file + ":" + std::to_string(e.mark.line + 1) + ": not YAML: " + e.msg,
                 "check the indentation and the brackets before this line"};
  }
}

Result<void> ApplyEnvironment(const EnvironmentLookup& lookup, ServerOptions& options) {
  for (auto& key : ConfigKeys()) {
    const auto name = EnvironmentName(key);
    auto value = lookup(name);
    if (!value) continue;
    if (auto set = key.set(options, *value); !set.ok()) return Error{ErrorCode::kInvalid, name + ": " + set.error().message, set.error().hint};
  }
  return {};
}

}  // namespace sluice::server
