// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Which topic an event goes to, by its type.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::ingest {

struct RoutingRule {
  std::string pattern;  // an event type, or a prefix of one followed by '*'
  std::string topic;
};

struct RouterOptions {
  std::vector<RoutingRule> rules = {
      {"user_action", "raw-events"},   {"transaction", "raw-transactions"}, {"system_event", "raw-system-events"},
      {"metric_event", "raw-metrics"}, {"log_event", "raw-logs"},
  };
  std::string default_topic = "raw-events";
};
inline constexpr size_t kRoutingRulesMax = 1'000;

// Immutable. An exact pattern wins over every prefix, a longer prefix over a shorter one.
class Router {
 public:
  // kInvalid names the rule: empty or repeated pattern, '*' inside, no topic name, too many rules.
  static Result<Router> Make(const RouterOptions& options);

  // An index into topics().
  size_t Route(std::string_view event_type) const;
  const std::vector<std::string>& topics() const { return topics_; }

 private:
  Router() = default;
  size_t TopicIndex(const std::string& topic);

  std::vector<std::string> topics_;  // distinct
  std::map<std::string, size_t, std::less<>> exact_;
  std::vector<std::pair<std::string, size_t>> prefixes_;  // longest first
  size_t default_topic_ = 0;
};

}  // namespace sluice::ingest
