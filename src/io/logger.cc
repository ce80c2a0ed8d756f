// SPDX-License-Identifier: Apache-2.0
#include "io/logger.h"

#include <algorithm>

#include "base/json.h"

namespace sluice::io {
namespace {

constexpr std::string_view kLevelNames[] = {"DEBUG", "INFO", "WARN", "ERROR"};

bool NeedsQuotes(std::string_view text) {
  return text.empty() || std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f; });
}

}  // namespace

std::string FormatLogLine(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(kLevelNames[static_cast<size_t>(level)]);
  line += ' ';
  // A line is one line, whatever a message quotes.
  for (char c : message) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  for (auto& field : fields) {
    line.append(" ").append(field.key).append("=");
    if (NeedsQuotes(field.value)) AppendJsonString(line, field.value);
    else line += field.value;
  }
  return line;
}

}  // namespace sluice::io
