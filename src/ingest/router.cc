// SPDX-License-Identifier: Apache-2.0
#include "ingest/router.h"

#include <algorithm>

#include "table/topic_name.h"

namespace sluice::ingest {

size_t Router::TopicIndex(const std::string& topic) {
  auto at = std::find(topics_.begin(), topics_.end(), topic);
  if (at == topics_.end()) at = topics_.insert(at, topic);
  return static_cast<size_t>(at - topics_.begin());
}

Result<Router> Router::Make(const RouterOptions& options) {
  Router router;
  if (options.rules.size() > kRoutingRulesMax)
    return Error{ErrorCode::kInvalid, std::to_string(options.rules.size()) + " routing rules", "use at most " + std::to_string(kRoutingRulesMax)};
  if (auto name = table::CheckTopicName(options.default_topic); !name.ok()) return name.error().While("reading the default topic");
  router.default_topic_ = router.TopicIndex(options.default_topic);
  for (auto& rule : options.rules) {
    auto refused = [&](const std::string& why) {
      return Error{ErrorCode::kInvalid, "the routing rule \"" + rule.pattern + "\" -> \"" + rule.topic + "\" " + why, "write an event type, or a prefix followed by '*'"};
    };
    if (auto name = table::CheckTopicName(rule.topic); !name.ok()) return refused("names no topic: " + name.error().message);
    if (rule.pattern.empty()) return refused("has an empty pattern");
    const bool is_prefix = rule.pattern.back() == '*';
    const std::string text = rule.pattern.substr(0, rule.pattern.size() - (is_prefix ? 1 : 0));
    if (text.find('*') != std::string::npos) return refused("has a '*' that is not at the end");
    const size_t topic = router.TopicIndex(rule.topic);
    if (is_prefix) {
      if (std::any_of(router.prefixes_.begin(), router.prefixes_.end(), [&](auto& p) { return p.first == text; })) return refused("occurs twice");
      router.prefixes_.emplace_back(text, topic);
    } else if (!router.exact_.emplace(text, topic).second) {
      return refused("occurs twice");
    }
  }
  std::stable_sort(router.prefixes_.begin(), router.prefixes_.end(), [](auto& a, auto& b) { return a.first.size() > b.first.size(); });
  return router;
}

size_t Router::Route(std::string_view event_type) const {
  if (auto at = exact_.find(event_type); at != exact_.end()) return at->second;
  for (auto& [prefix, topic] : prefixes_)
    if (event_type.starts_with(prefix)) return topic;
  return default_topic_;
}

}  // namespace sluice::ingest
