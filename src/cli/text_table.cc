// SPDX-License-Identifier: Apache-2.0
#include "cli/text_table.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <utility>

#include "cli/console.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kNull = "NULL";
constexpr std::string_view kEllipsis = "…";
constexpr size_t kSeparatorWidth = 3;  // " │ "

struct Range {
  char32_t first, last;
};

// Unicode 15: East Asian Width W and F, and emoji shown as pictures, in blocks.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},   {0x23F3, 0x23F3},
    {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},   {0x26D4, 0x26D4},   {0x26EA, 0x26EA},
    {0x26F2, 0x26F3},   {0x26F5, 0x26F5},   {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},
    {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27B0, 0x27B0},   {0x27BF, 0x27BF},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F004, 0x1F004},
    {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F1E6, 0x1F202}, {0x1F210, 0x1F23B}, {0x1F240, 0x1F248},
    {0x1F300, 0x1F320}, {0x1F32D, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF},
    {0x20000, 0x3FFFD}};
// Combining marks, joiners and variation selectors of the scripts that are met most.
constexpr Range kZero[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},  {0x0670, 0x0670},
                           {0x093C, 0x093C}, {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},  {0x1AB0, 0x1AFF},
                           {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20FF},  {0x302A, 0x302D},
                           {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};

template <size_t N>
bool IsIn(const Range (&ranges)[N], char32_t c) {
  auto at = std::lower_bound(std::begin(ranges), std::end(ranges), c, [](const Range& r, char32_t v) { return r.last < v; });
  return at != std::end(ranges) && c >= at->first;
}

// Decodes the character at `at` and moves behind it; bytes that are no UTF-8 count as one character each.
char32_t NextCharacter(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 1;
  char32_t c = length == 1 ? lead : lead & (0x7F >> length);
  for (size_t i = 1; i < length; i++) {
    if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return at++, 0xFFFD;
    c = (c << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  }
  at += length;
  return c;
}

size_t WidthOf(char32_t c) { return IsIn(kZero, c) ? 0 : IsIn(kWide, c) ? 2 : 1; }

std::string TextOf(const TextCell& cell, const TableStyle& style) {
  if (!cell) return std::string(kNull);
  auto text = Printable(*cell);
  return style.cell_width_max > 0 ? FitText(text, style.cell_width_max) : text;
}

void AppendPadded(std::string& to, std::string_view text, size_t width, bool right, std::string_view color) {
  const size_t padding = width - std::min(width, DisplayWidth(text));
  if (right) to.append(padding, ' ');
  to += color;
  to += text;
  if (!color.empty()) to += kPlain;
  if (!right) to.append(padding, ' ');
}

void AppendRepeated(std::string& to, std::string_view text, size_t times) {
  for (size_t i = 0; i < times; i++) to += text;
}

std::vector<size_t> ColumnWidths(const std::vector<TextColumn>& columns, const std::vector<TextRow>& rows, const TableStyle& style) {
  std::vector<size_t> widths;
  for (auto& column : columns) widths.push_back(DisplayWidth(Printable(column.name)));
  for (auto& row : rows)
    for (size_t i = 0; i < columns.size(); i++) widths[i] = std::max(widths[i], DisplayWidth(TextOf(row[i], style)));
  return widths;
}

// How many columns stay on the left and on the right of a "…", taken in turns.
std::pair<size_t, size_t> ColumnsThatFit(const std::vector<size_t>& widths, size_t width) {
  size_t left = 1, right = 1;
  size_t used = widths.front() + kSeparatorWidth + 1 + kSeparatorWidth + widths.back();
  for (bool is_left = true; left + right < widths.size(); is_left = !is_left) {
    used += kSeparatorWidth + (is_left ? widths[left] : widths[widths.size() - 1 - right]);
    if (used > width) break;
    (is_left ? left : right)++;
  }
  return {left, right};
}

template <class T>
void ReplaceMiddle(std::vector<T>& all, size_t left, size_t right, T with) {
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(left), all.end() - static_cast<std::ptrdiff_t>(right));
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(left), std::move(with));
}

void TrimRight(std::string& line) {
  while (line.ends_with(' ')) line.pop_back();
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) width += WidthOf(NextCharacter(text, at));
  return width;
}

std::string FitText(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  size_t used = 0, end = 0;
  for (size_t at = 0; at < text.size();) {
    used += WidthOf(NextCharacter(text, at));
    if (used + 1 > width) break;
    end = at;
  }
  return std::string(text.substr(0, end)) + std::string(kEllipsis);
}

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    char escaped[8] = {};
    if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (code < 0x20 || code == 0x7F) out.append(escaped, static_cast<size_t>(std::snprintf(escaped, sizeof escaped, "\\x%02x", code)));
    else out += c;
  }
  return out;
}

size_t HideColumns(std::vector<TextColumn>& columns, std::vector<TextRow>& rows, const TableStyle& style, size_t width) {
  if (columns.size() <= 2) return 0;
  const auto widths = ColumnWidths(columns, rows, style);
  const size_t total = std::accumulate(widths.begin(), widths.end(), size_t{0}) + kSeparatorWidth * (columns.size() - 1);
  if (total <= width) return 0;
  const auto [left, right] = ColumnsThatFit(widths, width);
  const size_t hidden = columns.size() - left - right;
  ReplaceMiddle(columns, left, right, TextColumn{std::string(kEllipsis)});
  for (auto& row : rows) ReplaceMiddle(row, left, right, TextCell(kEllipsis));
  return hidden;
}

std::string RenderTable(const std::vector<TextColumn>& columns, const std::vector<TextRow>& rows, const TableStyle& style) {
  const auto widths = ColumnWidths(columns, rows, style);
  std::string out, line;
  for (size_t i = 0; i < columns.size(); i++) {
    line += i == 0 ? "" : " │ ";
    AppendPadded(line, Printable(columns[i].name), widths[i], columns[i].right_aligned, style.colored ? kBold : "");
  }
  TrimRight(line);
  out += line + "\n";
  for (size_t i = 0; i < columns.size(); i++) {
    out += i == 0 ? "" : "─┼─";
    AppendRepeated(out, "─", widths[i]);
  }
  out += "\n";
  for (auto& row : rows) {
    line.clear();
    for (size_t i = 0; i < columns.size(); i++) {
      line += i == 0 ? "" : " │ ";
      AppendPadded(line, TextOf(row[i], style), widths[i], columns[i].right_aligned, style.colored && !row[i] ? kDim : "");
    }
    TrimRight(line);
    out += line + "\n";
  }
  return out;
}

std::string RenderRecords(const std::vector<TextColumn>& columns, const std::vector<TextRow>& rows, const TableStyle& style) {
  size_t width = 0;
  for (auto& column : columns) width = std::max(width, DisplayWidth(Printable(column.name)));
  std::string out;
  for (size_t r = 0; r < rows.size(); r++) {
    out += "─[ row " + std::to_string(r + 1) + " ]─\n";
    for (size_t i = 0; i < columns.size(); i++) {
      AppendPadded(out, Printable(columns[i].name), width, false, style.colored ? kBold : "");
      out += " │ ";
      AppendPadded(out, TextOf(rows[r][i], {style.colored, 0}), 0, false, style.colored && !rows[r][i] ? kDim : "");
      TrimRight(out);
      out += "\n";
    }
  }
  return out;
}

}  // namespace sluice::cli
