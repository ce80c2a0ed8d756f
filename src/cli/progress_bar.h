// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/console.h"
#include "io/clock.h"

namespace sluice::cli {

// One line that is drawn over itself, on a terminal; nothing elsewhere. `clock` must outlive it.
class ProgressBar {
 public:
  static constexpr int64_t kRedrawNs = 100'000'000;

  ProgressBar(std::FILE* to, io::Clock& clock) : console_(to), clock_(clock), began_ns_(clock.MonotonicNs()) {}
  // `fraction`: 0 to 1, negative when it is not known. Cheap: draws at most every kRedrawNs.
  void Show(double fraction, int64_t events);
  // `text` in its place. False: this is no terminal.
  bool Note(const std::string& text);
  // Takes the line away, so that others can print.
  void Clear();

 private:
  Console console_;
  io::Clock& clock_;
  const int64_t began_ns_;
  int64_t drawn_ns_ = 0;
  bool drawn_ = false;
};

// "[=====>    ]  45 %  1,234 events  5,678/s"
std::string ProgressText(double fraction, int64_t events, double seconds);

}  // namespace sluice::cli
