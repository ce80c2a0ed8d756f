// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How a topic's name becomes a table's: `raw-events` feeds `bronze.events`, `silver-daily-orders` feeds `silver.daily_orders`.

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::table {

struct TableName {
  std::string table_namespace;
  std::string name;
  auto operator<=>(const TableName&) const = default;
  std::string ToString() const { return table_namespace + "." + name; }
};

inline constexpr size_t kTopicNameBytesMax = 201;

// kInvalid: not [a-z0-9][a-z0-9_-]{0,200}, or it holds "__" (those are Sluice's own topics and SQL suffixes).
Result<void> CheckTopicName(std::string_view topic);

// The prefixes raw- and bronze- name the namespace bronze, silver- and gold- their own; no prefix means bronze. Further '-' become '_'.
// REQUIRES: CheckTopicName(topic).ok()
TableName TableNameOf(std::string_view topic);

// "bronze.events" as a TableName. kInvalid: not two names of [a-z0-9_]+.
Result<TableName> ParseTableName(std::string_view text);

}  // namespace sluice::table
