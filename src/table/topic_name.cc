// SPDX-License-Identifier: Apache-2.0
#include "table/topic_name.h"

#include <algorithm>

namespace sluice::table {
namespace {

bool IsLowerAlphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<void> CheckTopicName(std::string_view topic) {
  const std::string quoted = "\"" + std::string(topic.substr(0, kTopicNameBytesMax)) + "\"";
  const char* rule = "use a-z, 0-9, '-' and '_', beginning with a letter or digit, 201 characters at most, without \"__\"";
  if (topic.empty() || topic.size() > kTopicNameBytesMax || !IsLowerAlphanumeric(topic[0]))
    return Error{ErrorCode::kInvalid, quoted + " is no topic name", rule};
  for (char c : topic)
    if (!IsLowerAlphanumeric(c) && c != '_' && c != '-') return Error{ErrorCode::kInvalid, quoted + " is no topic name", rule};
  if (topic.find("__") != std::string_view::npos) return Error{ErrorCode::kInvalid, quoted + " is no topic name", rule};
  return {};
}

TableName TableNameOf(std::string_view topic) {
  struct Prefix { std::string_view prefix, table_namespace; };
  static constexpr Prefix kPrefixes[] = {{"raw-", "bronze"}, {"bronze-", "bronze"}, {"silver-", "silver"}, {"gold-", "gold"}};
  TableName out{"bronze", std::string(topic)};
  for (auto& p : kPrefixes) {
    if (!topic.starts_with(p.prefix) || topic.size() == p.prefix.size()) continue;
    out = {std::string(p.table_namespace), std::string(topic.substr(p.prefix.size()))};
    break;
  }
  std::replace(out.name.begin(), out.name.end(), '-', '_');
  return out;
}

Result<TableName> ParseTableName(std::string_view text) {
  auto is_name = [](std::string_view s) {
    return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return IsLowerAlphanumeric(c) || c == '_'; });
  };
  auto dot = text.find('.');
  if (dot == std::string_view::npos || !is_name(text.substr(0, dot)) || !is_name(text.substr(dot + 1)))
    return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no table name", "write namespace.table, for example bronze.events"};
  return TableName{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

}  // namespace sluice::table
