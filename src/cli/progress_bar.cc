// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <algorithm>

namespace sluice::cli {
namespace {

constexpr size_t kBarCells = 30;
constexpr std::string_view kEraseLine = "\r\033[K";

}  // namespace

std::string ProgressText(double fraction, int64_t events, double seconds) {
  std::string out;
  if (fraction >= 0) {
    const auto cells = static_cast<size_t>(std::clamp(fraction, 0.0, 1.0) * kBarCells);
    out = "[" + std::string(cells, '=') + (cells < kBarCells ? ">" + std::string(kBarCells - cells - 1, ' ') : "") + "] ";
    const auto percent = std::to_string(static_cast<int>(std::clamp(fraction, 0.0, 1.0) * 100));
    out += std::string(3 - percent.size(), ' ') + percent + " %  ";
  }
  out += WithThousands(events) + " events";
  if (seconds > 0) out += "  " + WithThousands(static_cast<int64_t>(static_cast<double>(events) / seconds)) + "/s";
  return out;
}

void ProgressBar::Show(double fraction, int64_t events) {
  if (!console_.is_terminal()) return;
  const int64_t now = clock_.MonotonicNs();
  if (drawn_ && now - drawn_ns_ < kRedrawNs) return;
  drawn_ = true;
  drawn_ns_ = now;
  console_.Write(std::string(kEraseLine) + ProgressText(fraction, events, static_cast<double>(now - began_ns_) / 1e9));
  console_.Flush();
}

bool ProgressBar::Note(const std::string& text) {
  if (!console_.is_terminal()) return false;
  drawn_ = true;
  console_.Write(std::string(kEraseLine) + text);
  console_.Flush();
  return true;
}

void ProgressBar::Clear() {
  if (!drawn_) return;
  drawn_ = false;
  console_.Write(kEraseLine);
  console_.Flush();
}

}  // namespace sluice::cli
