// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <algorithm>
#include <utility>

namespace sluice::sim {
namespace {

constexpr uint64_t kNetworkStream = 600;
constexpr int64_t kNanosPerMicro = 1'000;

}  // namespace

Network::Network(const Scenario& scenario, const std::string& server)
    : scenario_(scenario), dice_(scenario.seed, kNetworkStream + server.size()) {}

void Network::Later(int64_t delay_us, std::function<void()> act) {
  if (delay_us < 0) return;
  if (delay_us == 0 || carrier_ == nullptr) return act();
  under_way_.emplace(std::pair(clock_->MonotonicNs() + delay_us * kNanosPerMicro, order_++), std::move(act));
  carrier_->Notify();
}

int64_t Network::Delay() {
  if (calm_) return 0;
  if (scenario_.message_lost_one_in != 0 && dice_.OneIn(scenario_.message_lost_one_in)) return -1;
  if (scenario_.message_delay_us_max == 0) return 0;
  // Most are quick; those that are not overtake nobody.
  return dice_.Between(0, dice_.OneIn(4) ? scenario_.message_delay_us_max : scenario_.message_delay_us_max / 20);
}

bool Network::Send(const CallPtr& call) {
  const int64_t delay_us = Delay();
  if (delay_us == 0 && listener_ == nullptr) return false;
  if (const auto one_in = scenario_.double_delivery_one_in;
      call->kind == Call::Kind::kIngest && !calm_ && one_in != 0 && dice_.OneIn(one_in)) {
    auto twin = std::make_shared<Call>(*call);  // nobody reads its answer
    Later(Delay(), [this, twin] { Arrive(twin); });
  }
  Later(delay_us, [this, call] { Arrive(call); });
  return true;
}

void Network::Arrive(const CallPtr& call) {
  if (listener_ == nullptr) return;
  arrived_.push_back(call);
  listener_->Notify();
}

void Network::Run(io::Env env) {
  carrier_ = env.threads.NewSignal();
  clock_ = &env.clock;
  while (!stopped_) {
    const int64_t now_ns = env.clock.MonotonicNs();
    while (!under_way_.empty() && under_way_.begin()->first.first <= now_ns) {
      auto act = std::move(under_way_.begin()->second);
      under_way_.erase(under_way_.begin());
      act();
    }
    carrier_->Wait(under_way_.empty() ? -1 : (under_way_.begin()->first.first - now_ns) / kNanosPerMicro + 1);
  }
  carrier_.reset();
}

void Network::Stop() {
  stopped_ = true;
  if (carrier_ != nullptr) carrier_->Notify();
}

void Network::Listen(io::Signal* bell) {
  listener_ = bell;
  if (bell == nullptr) arrived_.clear();
}

CallPtr Network::Take() {
  if (arrived_.empty()) return nullptr;
  auto call = std::move(arrived_.front());
  arrived_.pop_front();
  return call;
}

void Network::Answer(const CallPtr& call) {
  Later(Delay(), [call] {
    call->done = true;
    if (call->bell != nullptr) call->bell->Notify();
  });
}

}  // namespace sluice::sim
