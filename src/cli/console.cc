// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace sluice::cli {
namespace {

constexpr size_t kWidthDefault = 80;

}  // namespace

Console::Console(std::FILE* to) : to_(to), is_terminal_(isatty(fileno(to)) == 1) {
  const char* no_color = std::getenv("NO_COLOR");
  colored_ = is_terminal_ && (no_color == nullptr || *no_color == 0);
}

bool Console::Write(std::string_view text) {
  if (!closed() && std::fwrite(text.data(), 1, text.size(), to_) != text.size()) error_number_ = errno;
  return !closed();
}

bool Console::Flush() {
  if (!closed() && std::fflush(to_) != 0) error_number_ = errno;
  return !closed();
}

Result<void> Console::Finish() {
  if (Flush() || error_number_ == EPIPE) return {};
  return Error{ErrorCode::kIo, std::string("the output cannot be written: ") + std::strerror(error_number_),
               "what was written so far is not all of it"};
}

size_t Console::width() const {
  winsize size{};
  return is_terminal_ && ioctl(fileno(to_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kWidthDefault;
}

bool StdinIsTerminal() { return isatty(STDIN_FILENO) == 1; }

std::string WithThousands(int64_t n) {
  std::string out = std::to_string(n);
  const size_t begin = n < 0 ? 1 : 0;
  for (size_t at = out.size(); at > begin + 3;) out.insert(at -= 3, ",");
  return out;
}

std::string Counted(int64_t n, std::string_view noun) { return WithThousands(n) + " " + std::string(noun) + (n == 1 ? "" : "s"); }

std::string ByteText(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double n = static_cast<double>(bytes);
  size_t unit = 0;
  for (; n >= 1024 && unit + 1 < std::size(kUnits); unit++) n /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", n, kUnits[unit]);
  return text;
}

}  // namespace sluice::cli
