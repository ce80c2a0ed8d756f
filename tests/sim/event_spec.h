// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// An event as its sender means it, the bytes that carry it, and the row it has to become.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "table/event_columns.h"

namespace sluice::sim {

// The cells of a bronze row as text (query/column_values.h); nothing: null.
using Row = std::array<std::optional<std::string>, table::kEventColumnCount>;
inline std::optional<std::string>& Cell(Row& row, table::EventColumn column) { return row[static_cast<size_t>(column)]; }
inline const std::optional<std::string>& Cell(const Row& row, table::EventColumn column) { return row[static_cast<size_t>(column)]; }

// The columns that the server decides; the others come from the event.
bool IsDecidedByServer(table::EventColumn column);

struct EventSpec {
  std::string id, source, type;
  std::optional<int64_t> time_us;                 // nothing: the append time
  std::map<std::string, std::string> attributes;  // optional ones and extensions, by CloudEvents name; text
  std::string data;                               // JSON text; empty: none
  std::string binary;                             // instead of data; empty: none

  // A JSON object in the structured form.
  std::string ToJson() const;
  // Headers of the binary form, whose body is `data` or `binary`.
  std::vector<std::pair<std::string, std::string>> ToHeaders() const;
  // The row, without what the server decides (and without `time` when the append time is meant).
  Row ToRow() const;
};

}  // namespace sluice::sim
