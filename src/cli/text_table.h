// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Tables of text for a terminal: aligned by what is seen, not by bytes.
//
//   id        │ mag │ place          NULL is the word NULL (dimmed on a terminal), the empty string is nothing
//   ──────────┼─────┼──────────
//   nc7310451 │ 1.4 │ 海老名市

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

// Columns that `text` takes on a terminal: 2 for wide East Asian characters and emoji, 0 for combining marks.
size_t DisplayWidth(std::string_view text);

// The longest beginning of `text` that fits into `width` columns; with "…" at its end when something was cut.
std::string FitText(std::string_view text, size_t width);

// What a cell shows: control characters as escapes (\n, \t, \x1b): data must not drive the terminal.
std::string Printable(std::string_view text);

struct TextColumn {
  std::string name;
  bool right_aligned = false;  // numbers
};
using TextCell = std::optional<std::string>;  // nothing: NULL
using TextRow = std::vector<TextCell>;

struct TableStyle {
  bool colored = false;
  size_t cell_width_max = 0;  // longer cells are cut; 0: never
};

// All three: REQUIRES: every row has as many cells as there are columns.

// Takes columns out of the middle until the table is at most `width` wide; a column "…" stands for them. The first and the last
// always stay. Returns how many are gone.
size_t HideColumns(std::vector<TextColumn>& columns, std::vector<TextRow>& rows, const TableStyle& style, size_t width);

std::string RenderTable(const std::vector<TextColumn>& columns, const std::vector<TextRow>& rows, const TableStyle& style);
// One line a value, a block a row: for rows that are wider than the terminal.
std::string RenderRecords(const std::vector<TextColumn>& columns, const std::vector<TextRow>& rows, const TableStyle& style);

}  // namespace sluice::cli
