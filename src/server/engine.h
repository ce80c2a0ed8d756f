// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The engine: builds everything in rank order, runs the loop, stops everything in reverse.
//
//   pipeline (server/pipeline.h) ─▶ statements ─▶ HTTP

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "front/http/engine_info.h"
#include "front/http/ingest_endpoint.h"
#include "front/http/server.h"
#include "front/http/sql_endpoint.h"
#include "io/env.h"
#include "io/event_loop.h"
#include "io/termination.h"
#include "query/session.h"
#include "query/table_read_views.h"
#include "server/options.h"
#include "server/pipeline.h"

namespace sluice::server {

// One thread makes it, runs it and destroys it.
class Engine final : public front::http::EngineInfo {
 public:
  // Everything up to the point where requests are taken. Errors are sentences for the person who started it.
  static Result<std::unique_ptr<Engine>> Open(io::Env env, ServerOptions options);
  ~Engine() override;

  // "http://127.0.0.1:8080"
  std::string url() const;
  const Path& data() const { return pipeline_->directory().path(); }
  // Until `termination` rings; then drains, and leaves a clean directory.
  Result<void> Run(io::Termination& termination);
  // The same, until RequestStop.
  Result<void> Run();
  // From any thread, while this lives: Run drains and returns.
  void RequestStop();

  // ---- EngineInfo ----
  bool IsReady(std::string& why) override;
  std::vector<std::string> WhatIsLoading() override;
  Json Version() override;
  Json ListTopics() override;
  Result<Json> DescribeTopic(std::string_view topic) override;
  Json ListTables() override;
  Result<Json> DescribeTable(std::string_view table) override;
  Result<Json> ListSnapshots(std::string_view table) override;
  Json Status() override;
  void Flush(std::string_view table, int64_t timeout_ms, std::function<void(Result<Json>)> done) override;
  void Resume(std::string_view table, std::optional<std::string> from, std::function<void(Result<Json>)> done) override;
  std::string Metrics() override;

 private:
  Engine(io::Env env, ServerOptions options);
  Result<void> OpenFront();
  void BeginStop();
  Result<void> RunLoop();
  void OnRoundEnd();
  void ArmTick();
  void Shutdown();

  io::Env env_;
  const ServerOptions options_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<query::TableReadViews> views_;
  std::unique_ptr<query::Session> queries_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<io::Timer> tick_, housekeeping_;
  std::unique_ptr<front::http::IngestEndpoint> ingest_endpoint_;
  std::unique_ptr<front::http::SqlEndpoint> sql_endpoint_;
  std::unique_ptr<front::http::HttpServer> http_;
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace sluice::server
