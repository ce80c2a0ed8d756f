// SPDX-License-Identifier: Apache-2.0
#include "server/engine.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "front/http/info_endpoints.h"
#include "front/http/openapi.h"
#include "front/http/problems.h"
#include "server/config_keys.h"
#include "server/loop_priority.h"

namespace sluice::server {
namespace {

constexpr int64_t kHousekeepingUs = 100'000;  // ages of hot rows, tiered offsets
constexpr int64_t kDrainSecondsMax = 10;      // then requests that are still at work are cut

// Wakes for SIGTERM and SIGINT.
class TerminationHandler : public io::EventHandler {
 public:
  TerminationHandler(io::Termination& termination, std::function<void(int)> on_signal)
      : termination_(termination), on_signal_(std::move(on_signal)) {}
  void OnReady(io::Readiness) override {
    if (const int signal = termination_.Take(); signal != 0) on_signal_(signal);
  }

 private:
  io::Termination& termination_;
  std::function<void(int)> on_signal_;
};

query::SessionOptions SessionOptionsOf(const SqlOptions& options, const Path& spill) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  query::SessionOptions out;
  out.workers = options.workers;
  out.worker.memory_mb = options.duckdb_bytes_max / kMiB;
  out.worker.data_mb = options.worker_bytes_max / kMiB;
  out.worker.spill_mb = options.spill_bytes_max / kMiB / out.worker.spill_files;
  out.spill_directory = spill;
  return out;
}

// Storage is opened first, which makes files and may take long: who asks for a port that is taken hears of it before.
Result<void> CheckPort(io::Network& network, const ServerOptions& options) {
  ASSIGN_OR_RETURN(auto address, io::ParseSocketAddress(options.listen));
  ASSIGN_OR_RETURN([[maybe_unused]] auto listening, network.Listen(address));
  return {};
}

// The request was understood, but the table is not what it has to be.
Error StaysPaused(Error error) {
  if (error.code == ErrorCode::kInvalid || error.code == ErrorCode::kCorruption) error.code = ErrorCode::kConflict;
  return error;
}

}  // namespace

// ---- opening ------------------------------------------------------------------------------------------------------------

Engine::Engine(io::Env env, ServerOptions options) : env_(env), options_(std::move(options)) {}

Result<std::unique_ptr<Engine>> Engine::Open(io::Env env, ServerOptions options) {
  RETURN_IF_ERROR(options.Validate());
  RETURN_IF_ERROR(CheckPort(env.network, options));
  auto engine = std::unique_ptr<Engine>(new Engine(env, std::move(options)));
  ASSIGN_OR_RETURN(engine->loop_, io::EventLoop::Make(env.network, env.clock));
  ASSIGN_OR_RETURN(engine->pipeline_,
                   Pipeline::Open(env, engine->options_, [](const Path& file) { return io::OpenSqliteCatalogStore(file, kCatalogName); }));
  RETURN_IF_ERROR(engine->OpenFront());
  return engine;
}

Result<void> Engine::OpenFront() {
  ASSIGN_OR_RETURN(auto address, io::ParseSocketAddress(options_.listen));
  views_ = std::make_unique<query::TableReadViews>(env_, pipeline_->registry(), options_.sql.manifests_bytes_max);
  ASSIGN_OR_RETURN(queries_, query::Session::Open(env_, SessionOptionsOf(options_.sql, pipeline_->directory().spill()), *views_));
  ingest_endpoint_ = std::make_unique<front::http::IngestEndpoint>(env_, pipeline_->gate(), pipeline_->gate().limits());
  sql_endpoint_ = std::make_unique<front::http::SqlEndpoint>(env_, *queries_, options_.sql.timeout_ms);
  auto routes = ingest_endpoint_->Routes(options_.http.body_bytes_max);
  for (auto& route : front::http::InfoRoutes(*this)) routes.push_back(std::move(route));
  for (auto& route : sql_endpoint_->Routes()) routes.push_back(std::move(route));
  const std::string document = front::http::MakeOpenApi(routes, Version()).Dump(2) + "\n";
  routes.push_back({front::http::Method::kGet,
                    "/openapi.json",
                    [document](front::http::HttpRequest&, front::http::Responder responder) {
                      responder.Send({200, front::http::kJsonType, {}, document});
                    },
                    "This API as an OpenAPI document.",
                    front::http::kBodyBytesMax,
                    {.answers = {front::http::kJsonType}}});
  ASSIGN_OR_RETURN(auto router, front::http::Router::Make(std::move(routes)));
  front::http::HttpOptions http;
  http.connections_max = options_.http.connections_max;
  ASSIGN_OR_RETURN(http_, front::http::HttpServer::Open(*loop_, address, std::move(router), http, env_.log, env_.metrics));
  return {};
}

std::string Engine::url() const { return "http://" + http_->address().ToString(); }

// ---- running ------------------------------------------------------------------------------------------------------------

void Engine::OnRoundEnd() {
  auto& log = pipeline_->log();
  log.Tick(env_.clock.Now(), ingest_endpoint_->more_comes());
  ingest_endpoint_->Answer(log.durable());
  ArmTick();
}

void Engine::ArmTick() {
  const int64_t delay_us = pipeline_->log().tick_delay_us();
  if (delay_us < 0) tick_->Cancel();
  else tick_->Arm(delay_us);
}

void Engine::BeginStop() {
  if (stopping_) return;
  stopping_ = true;
  http_->Drain([this] { loop_->Stop(); });
}

void Engine::RequestStop() {
  loop_->Post([this] { BeginStop(); });
}

Result<void> Engine::Run(io::Termination& termination) {
  TerminationHandler on_signal(termination, [this](int signal) {
    if (!stopping_) env_.log.Info("stopping", {{"signal", signal}});
    BeginStop();
  });
  RETURN_IF_ERROR(loop_->Watch(termination.descriptor(), io::Interest::kRead, on_signal));
  auto ran = RunLoop();
  loop_->Unwatch(termination.descriptor());
  return ran;
}

Result<void> Engine::Run() { return RunLoop(); }

Result<void> Engine::RunLoop() {
  tick_ = std::make_unique<io::Timer>(*loop_, [] {});  // the round's end does the work
  std::optional<LoopPriority> priority(env_);
  housekeeping_ = std::make_unique<io::Timer>(*loop_, [this, &priority] {
    priority->Tick();
    pipeline_->TickFeeds();
    housekeeping_->Arm(kHousekeepingUs);
  });
  housekeeping_->Arm(kHousekeepingUs);
  RETURN_IF_ERROR(loop_->WatchSignal(pipeline_->log().written(), [] {}));
  io::Timer drain_deadline(*loop_, [this] { http_->CloseAll(); });
  loop_->SetRoundEnd([this, &drain_deadline] {
    OnRoundEnd();
    if (stopping_ && !drain_deadline.armed()) drain_deadline.Arm(kDrainSecondsMax * 1'000'000);
  });
  running_ = true;
  auto ran = loop_->Run();
  running_ = false;
  priority.reset();  // nobody waits for what ends it
  loop_->UnwatchSignal(pipeline_->log().written());
  loop_->SetRoundEnd({});
  Shutdown();
  return ran;
}

// From the edge inwards.
void Engine::Shutdown() {
  tick_.reset();
  housekeeping_.reset();
  ingest_endpoint_.reset();  // its threads read what connections hold
  queries_.reset();
  if (auto stopped = pipeline_->Stop(); !stopped.ok())
    env_.log.Error("log was not closed cleanly", {{"cause", stopped.error().ToString()}});
  env_.log.Info("stopped", {{"data", data()}});
}

Engine::~Engine() = default;

// ---- flush and resume ------------------------------------------------------------------------------------------------------

void Engine::Flush(std::string_view name, int64_t timeout_ms, std::function<void(Result<Json>)> done) {
  auto feed = pipeline_->FindFeed(name);
  if (!feed.ok()) return done(feed.error());
  auto* f = *feed;
  pipeline_->Flush(*f, timeout_ms * kMicrosPerMilli, [this, f, done = std::move(done)](Result<log::Progress> flushed) {
    loop_->Post([this, f, done, flushed = std::move(flushed)] {
      if (!flushed.ok()) return done(flushed.error());
      f->Tick();
      done(DescribeTable(f->table().name().ToString()));
    });
  });
}

void Engine::Resume(std::string_view name, std::optional<std::string> from, std::function<void(Result<Json>)> done) {
  auto feed = pipeline_->FindFeed(name);
  if (!feed.ok()) return done(feed.error());
  std::optional<tier::ResumeFrom> place;
  if (from) {
    auto parsed = tier::ParseResumeFrom(*from);
    if (!parsed.ok()) return done(parsed.error());
    place = std::move(*parsed);
  }
  auto* f = *feed;
  f->Resume(std::move(place), [this, f, done = std::move(done)](Result<void> resumed) {
    loop_->Post([this, f, done, resumed = std::move(resumed)] {
      if (!resumed.ok()) return done(StaysPaused(resumed.error()));
      pipeline_->TickFeeds();  // a table that was not available at start takes its rows now
      done(DescribeTable(f->table().name().ToString()));
    });
  });
}

}  // namespace sluice::server
