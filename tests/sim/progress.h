// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>

namespace sluice::sim {

// How far a campaign is: a line to stderr every few seconds.
class Progress {
 public:
  // `all` runs, or `seconds_max` of them; 0: not bounded so.
  Progress(std::string what, uint64_t all, double seconds_max) : what_(std::move(what)), all_(all), seconds_max_(seconds_max) {}

  bool is_over() const { return seconds_max_ > 0 && seconds() >= seconds_max_; }
  uint64_t done() const { return done_; }
  uint64_t failed() const { return failed_; }
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(); }

  void Count(bool good) {
    done_++;
    failed_ += good ? 0 : 1;
    const double now = seconds();
    if (now < tell_at_) return;
    tell_at_ = now + kSecondsBetween;
    const std::string of = all_ == 0 ? "" : " of " + std::to_string(all_);
    std::fprintf(stderr, "%s: %" PRIu64 "%s, %" PRIu64 " failed, %.0f s, about %.0f s more\n", what_.c_str(), done_, of.c_str(), failed_,
                 now, SecondsLeft(now));
  }

 private:
  static constexpr double kSecondsBetween = 10;
  double SecondsLeft(double now) const {
    const double by_runs = all_ == 0 ? 1e18 : now / static_cast<double>(done_) * static_cast<double>(all_ - done_);
    return seconds_max_ > 0 && seconds_max_ - now < by_runs ? seconds_max_ - now : by_runs;
  }

  const std::string what_;
  const uint64_t all_;
  const double seconds_max_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  double tell_at_ = kSecondsBetween;
  uint64_t done_ = 0, failed_ = 0;
};

}  // namespace sluice::sim
