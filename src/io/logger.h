// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Log lines: `2026-01-15T00:00:00.000000Z INFO journal opened segments=3 bytes=402653184`. A fragment, no capital, no period,
// then key=value. Levels say who must act.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sluice::io {

enum class LogLevel : uint8_t {
  kDebug,  // nobody: for a developer who asked
  kInfo,   // nobody: what a reader of the log wants to know afterwards
  kWarn,   // somebody, some day: it works, but not as it should
  kError,  // somebody, now: something stopped
};

// A value is quoted when it holds spaces, quotes or '='.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
  std::string_view key;
  std::string value;
};

// Thread-safe; a line is written whole.
class Logger {
 public:
  virtual ~Logger() = default;
  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) { Write(LogLevel::kDebug, message, fields); }
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) { Write(LogLevel::kInfo, message, fields); }
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {}) { Write(LogLevel::kWarn, message, fields); }
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) { Write(LogLevel::kError, message, fields); }

 protected:
  virtual void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) = 0;
};

// The text of one line, without its time and newline.
std::string FormatLogLine(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);

}  // namespace sluice::io
