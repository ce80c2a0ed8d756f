// SPDX-License-Identifier: Apache-2.0
#include "server/loop_priority.h"

#include <utility>

namespace sluice::server {
namespace {

constexpr int64_t kWindowNs = 200'000'000;  // the system counts in ticks of 10 ms on each core

}  // namespace

LoopPriority::LoopPriority(io::Env env) : threads_(env.threads), clock_(env.clock), at_ns_(clock_.MonotonicNs()), used_(threads_.UseOfCores()) {
  threads_.SetPriority(io::ThreadPriority::kPrompt);
}

LoopPriority::~LoopPriority() { threads_.SetPriority(io::ThreadPriority::kNormal); }

void LoopPriority::Tick() {
  const int64_t now_ns = clock_.MonotonicNs(), passed_ns = now_ns - at_ns_;
  if (passed_ns < kWindowNs) return;
  const auto now = threads_.UseOfCores();
  const bool should = ShouldBeRealTime(now, passed_ns);
  at_ns_ = now_ns;
  used_ = now;
  if (std::exchange(is_real_time_, should) != should) threads_.SetPriority(should ? io::ThreadPriority::kRealTime : io::ThreadPriority::kPrompt);
}

bool LoopPriority::ShouldBeRealTime(const io::CoreUse& now, int64_t passed_ns) const {
  const int64_t others_ns = now.machine_ns - used_.machine_ns - (now.process_ns - used_.process_ns);
  return others_ns > passed_ns * now.cores / 4 && now.thread_ns - used_.thread_ns <= passed_ns / 4 * 3;
}

}  // namespace sluice::server
