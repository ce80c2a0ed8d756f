// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Small tables made row by row: what a metadata table or a test wants.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/columns.h"
#include "base/time.h"

namespace sluice::base {

// Column by column of equal length. Not thread-safe.
class ColumnsBuilder {
 public:
  void AddStrings(std::string name, const std::vector<std::optional<std::string>>& values);
  void AddLongs(std::string name, const std::vector<std::optional<int64_t>>& values);
  // Microseconds, UTC.
  void AddTimestamps(std::string name, const std::vector<std::optional<Timestamp>>& values);

  // REQUIRES: all columns have `rows` values. Empty afterwards.
  Columns Finish(int64_t rows);

 private:
  void AddFixed(std::string name, const char* format, const std::vector<std::optional<int64_t>>& values);
  struct Column {
    ArrowSchema schema;
    ArrowArray array;
  };
  std::vector<Column> columns_;
};

}  // namespace sluice::base
