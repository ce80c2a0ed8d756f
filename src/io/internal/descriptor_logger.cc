// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>

#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr size_t kFractionDigits = 6;

// RFC 3339 that always shows microseconds: columns of a log line stay below each other.
std::string FormatTime(Timestamp now) {
  std::string text = base::FormatRfc3339(now);
  if (text.find('.') == std::string::npos) text.insert(text.size() - 1, "." + std::string(kFractionDigits, '0'));
  return text;
}

class DescriptorLogger final : public Logger {
 public:
  DescriptorLogger(int descriptor, LogLevel level, Clock& clock) : descriptor_(descriptor), level_(level), clock_(clock) {}

 protected:
  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) override {
    if (level < level_) return;
    std::string line = FormatTime(clock_.Now()) + " " + FormatLogLine(level, message, fields) + "\n";
    // One call a line, so that lines of several threads and processes do not mix. A log that cannot be written stops nothing.
    while (write(descriptor_, line.data(), line.size()) < 0 && errno == EINTR) {
    }
  }

 private:
  const int descriptor_;
  const LogLevel level_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<Logger> MakeDescriptorLogger(int descriptor, LogLevel level, Clock& clock) {
  return std::make_unique<DescriptorLogger>(descriptor, level, clock);
}

}  // namespace sluice::io
