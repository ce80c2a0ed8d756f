// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The terminal: what it is, what it can show, and writing to it.

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::cli {

// stdout or stderr. Not thread-safe.
class Console {
 public:
  explicit Console(std::FILE* to);
  // False: nothing more can be written; see Finish.
  bool Write(std::string_view text);
  bool Flush();
  bool closed() const { return error_number_ != 0; }
  // Flushes. kIo: something of what was written is lost. A reader that is gone (`| head`) has what it wanted: success.
  Result<void> Finish();

  bool is_terminal() const { return is_terminal_; }
  bool colored() const { return colored_; }  // a terminal, and NO_COLOR is not set
  size_t width() const;                      // columns; 80 when it is not known

 private:
  std::FILE* const to_;
  bool is_terminal_ = false;
  bool colored_ = false;
  int error_number_ = 0;  // of the write that failed
};

bool StdinIsTerminal();

inline constexpr std::string_view kDim = "\033[2m";
inline constexpr std::string_view kBold = "\033[1m";
inline constexpr std::string_view kPlain = "\033[0m";

// "1,234,567"
std::string WithThousands(int64_t n);
// "1 file", "1,234 files"
std::string Counted(int64_t n, std::string_view noun);
// "12.3 MiB"
std::string ByteText(int64_t bytes);

}  // namespace sluice::cli
