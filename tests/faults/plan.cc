// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <fnmatch.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace sluice::faults {
namespace {

constexpr std::pair<std::string_view, ActionKind> kActions[] = {
    {"kill", ActionKind::kKill},  {"kill-after", ActionKind::kKillAfter}, {"kill-half", ActionKind::kKillHalf},
    {"cut", ActionKind::kCut},    {"cut-after", ActionKind::kCutAfter},   {"cut-half", ActionKind::kCutHalf},
    {"fail", ActionKind::kFail},  {"fail-after", ActionKind::kFailAfter}, {"short", ActionKind::kShort},
    {"delay", ActionKind::kDelay}};
constexpr std::pair<std::string_view, int> kErrors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},  {"EMFILE", EMFILE},
                                                        {"ENOMEM", ENOMEM}, {"EROFS", EROFS},   {"EDQUOT", EDQUOT}};
constexpr int kExitWrongPlan = 99;

[[noreturn]] void Wrong(const std::string& rule) {
  std::fprintf(stderr, "faults: \"%s\" is no rule; plan.h tells what is\n", rule.c_str());
  _exit(kExitWrongPlan);
}

Action ParseAction(const std::string& text, const std::string& rule) {
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon), rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  for (auto& [word, kind] : kActions) {
    if (word != name) continue;
    if (kind == ActionKind::kDelay) return {kind, std::atoi(rest.c_str())};
    if (kind != ActionKind::kFail && kind != ActionKind::kFailAfter) return {kind, 0};
    for (auto& [error, number] : kErrors)
      if (error == rest) return {kind, number};
  }
  Wrong(rule);
}

}  // namespace

Plan::Rule Plan::ParseRule(const std::string& text) {
  const size_t at = text.rfind('@'), equals = text.find('=', at == std::string::npos ? 0 : at);
  if (at == std::string::npos || equals == std::string::npos || at == 0) Wrong(text);
  Rule rule{.edge = text.substr(0, at), .action = ParseAction(text.substr(equals + 1), text)};
  const std::string when = text.substr(at + 1, equals - at - 1);
  if (when.starts_with('p')) {
    rule.probability = std::atof(when.c_str() + 1);
  } else {
    rule.first = std::strtoull(when.c_str(), nullptr, 10);
    rule.goes_on = when.ends_with('+');
  }
  if (rule.first == 0 && rule.probability <= 0) Wrong(text);
  return rule;
}

Plan::Plan(std::string_view rules, uint64_t seed) : dice_(seed) {
  while (!rules.empty()) {
    const size_t end = std::min(rules.find(';'), rules.size());
    if (end > 0) rules_.push_back(ParseRule(std::string(rules.substr(0, end))));
    rules.remove_prefix(std::min(end + 1, rules.size()));
  }
  for (auto& rule : rules_)
    has_cuts_ |=
        rule.action.kind == ActionKind::kCut || rule.action.kind == ActionKind::kCutAfter || rule.action.kind == ActionKind::kCutHalf;
}

Action Plan::Next(const std::string& edge) {
  Action action;
  for (auto& rule : rules_) {
    if (rule.edge == "change" ? edge.starts_with("read ") : fnmatch(rule.edge.c_str(), edge.c_str(), 0) != 0) continue;
    const uint64_t seen = ++rule.seen;
    const bool due = rule.first > 0 ? seen == rule.first || (rule.goes_on && seen > rule.first)
                                    : std::uniform_real_distribution<>()(dice_) < rule.probability;
    if (due && action.kind == ActionKind::kNone) action = rule.action;
  }
  return action;
}

}  // namespace sluice::faults
