// SPDX-License-Identifier: Apache-2.0
#include "sim/http_front.h"

namespace sluice::sim {
namespace {

// As in server/engine.cc.
constexpr int64_t kHousekeepingUs = 100'000;
constexpr int64_t kDrainUsMax = 10 * kMicrosPerSecond;

}  // namespace

HttpFront::HttpFront(io::Env env, server::Pipeline& pipeline, const Scenario& scenario, const Wiring& wiring)
    : env_(env),
      pipeline_(pipeline),
      scenario_(scenario),
      wiring_(wiring),
      network_(wiring.network ? wiring.network(env.network) : nullptr),
      ingest_(env, pipeline.gate(), pipeline.gate().limits()) {}

Result<std::unique_ptr<HttpFront>> HttpFront::Open(io::Env env, server::Pipeline& pipeline, const Scenario& scenario, const Wiring& wiring,
                                                   const io::SocketAddress& address) {
  std::unique_ptr<HttpFront> out(new HttpFront(env, pipeline, scenario, wiring));
  RETURN_IF_ERROR(out->Listen(address));
  return out;
}

Result<void> HttpFront::Listen(const io::SocketAddress& address) {
  ASSIGN_OR_RETURN(loop_, io::EventLoop::Make(network_ ? *network_ : env_.network, env_.clock));
  ASSIGN_OR_RETURN(auto router, front::http::Router::Make(ingest_.Routes(scenario_.http.body_bytes_max)));
  ASSIGN_OR_RETURN(server_,
                   front::http::HttpServer::Open(*loop_, address, std::move(router), scenario_.http.options, env_.log, env_.metrics));
  return {};
}

Result<void> HttpFront::Run(Hooks hooks) {
  hooks_ = std::move(hooks);
  auto& written = pipeline_.log().written();
  tick_ = std::make_unique<io::Timer>(*loop_, [] {});  // the round's end does the work
  deadline_ = std::make_unique<io::Timer>(*loop_, [this] {
    was_cut_ = true;
    server_->CloseAll();
  });
  housekeeping_ = std::make_unique<io::Timer>(*loop_, [this] {
    hooks_.on_housekeeping();
    housekeeping_->Arm(kHousekeepingUs);
  });
  housekeeping_->Arm(kHousekeepingUs);
  RETURN_IF_ERROR(loop_->WatchSignal(written, [this] { hooks_.on_bell(); }));
  loop_->SetRoundEnd([this] { OnRoundEnd(); });
  hooks_.on_bell();  // what came before
  auto ran = loop_->Run();
  loop_->UnwatchSignal(written);
  loop_->SetRoundEnd({});
  return ran;
}

void HttpFront::OnRoundEnd() {
  auto& log = pipeline_.log();
  log.Tick(env_.clock.Now(), ingest_.more_comes());
  ingest_.Answer(wiring_.answers_before_durable ? log::CommitSequence(UINT64_MAX) : log.durable());
  hooks_.on_round();
  if (const int64_t delay_us = log.tick_delay_us(); delay_us < 0) tick_->Cancel();
  else tick_->Arm(delay_us);
  if (stopping_ && !deadline_->armed()) deadline_->Arm(kDrainUsMax);
}

void HttpFront::Stop() {
  if (std::exchange(stopping_, true)) return;
  server_->Drain([this] { loop_->Stop(); });
}

}  // namespace sluice::sim
