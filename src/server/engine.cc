// SPDX-License-Identifier: Apache-2.0
#include "server/engine.h"

#include <algorithm>

#include "base/check.h"
#include "front/http/info_endpoints.h"
#include "front/http/problems.h"
#include "server/config_keys.h"
#include "table/event_schema.h"

namespace sluice::server {
namespace {

constexpr int64_t kHousekeepingUs = 100'000;      // ages of hot rows, tiered offsets
constexpr int64_t kRoomPollUs = 5'000;            // while loading waits for the tier
constexpr int64_t kDrainSecondsMax = 10;          // then requests that are still at work are cut

// Wakes for SIGTERM and SIGINT.
class TerminationHandler : public io::EventHandler {
 public:
  TerminationHandler(io::Termination& termination, std::function<void(int)> on_signal) : termination_(termination), on_signal_(std::move(on_signal)) {}
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

log::TopicConfig ConfigOf(const TopicOptions& options) {
  log::TopicConfig out;
  out.partitions = options.partitions;
  out.key_pointers = options.key;
  return out;
}

}  // namespace

// ---- opening ------------------------------------------------------------------------------------------------------------

Engine::Engine(io::Env env, ServerOptions options) : env_(env), options_(std::move(options)) {}

Result<std::unique_ptr<Engine>> Engine::Open(io::Env env, ServerOptions options) {
  RETURN_IF_ERROR(options.Validate());
  auto engine = std::unique_ptr<Engine>(new Engine(env, std::move(options)));
  RETURN_IF_ERROR(engine->OpenStorage());
  RETURN_IF_ERROR(engine->OpenTables());
  RETURN_IF_ERROR(engine->OpenGate());
  RETURN_IF_ERROR(engine->OpenFront());
  return engine;
}

Result<void> Engine::OpenStorage() {
  ASSIGN_OR_RETURN(directory_, DataDirectory::Open(env_, options_.data));
  // What a killed writer left half written: nobody refers to it.
  ASSIGN_OR_RETURN(auto leftovers, io::RemoveUnfinishedObjects(env_.files, directory_->warehouse()));
  if (leftovers > 0) env_.log.Info("unfinished files removed", {{"files", leftovers}});
  ASSIGN_OR_RETURN(catalog_store_, io::OpenSqliteCatalogStore(directory_->catalog(), kCatalogName));
  catalog_ = std::make_unique<iceberg::Catalog>(*catalog_store_, env_, iceberg::CatalogOptions{io::PathToUri(directory_->warehouse())});
  ASSIGN_OR_RETURN(loop_, io::EventLoop::Make(env_.clock));
  ASSIGN_OR_RETURN(log_, log::Log::Open(env_, directory_->log(), options_.LogOptionsInUse()));
  memory_ = std::make_unique<table::ChunkMemory>(env_, options_.hot_bytes_max);
  registry_ = std::make_unique<table::TableRegistry>(env_, *memory_, options_.log.watermark_delay_us);
  log_->SetListener(registry_.get());
  return {};
}

Result<void> Engine::OpenTables() {
  RETURN_IF_ERROR(LoadKnownProgress());
  for (auto* topic : log_->Topics()) {
    ASSIGN_OR_RETURN(auto* feed, AddTable(*topic));
    RETURN_IF_ERROR(LoadHotRows(*feed));
  }
  return {};
}

// Tables may outlive a log: what they hold of topics that this log does not know must not be numbered again.
Result<void> Engine::LoadKnownProgress() {
  ASSIGN_OR_RETURN(auto namespaces, catalog_->ListNamespaces());
  for (auto& table_namespace : namespaces) {
    ASSIGN_OR_RETURN(auto names, catalog_->ListTables(table_namespace));
    for (auto& name : names) {
      auto loaded = catalog_->LoadTable({table_namespace, name});
      if (!loaded.ok()) {
        env_.log.Warn("table cannot be read", {{"table", table_namespace + "." + name}, {"cause", loaded.error().message}});
        continue;
      }
      for (auto& [property, value] : loaded->metadata->properties) {
        if (!property.starts_with(table::kFeedPropertyPrefix)) continue;
        if (auto progress = table::ParseFeedProgress(value); progress.ok())
          known_progress_[property.substr(table::kFeedPropertyPrefix.size())] = progress->offsets();
      }
    }
  }
  return {};
}

Result<table::TableName> Engine::TableNameFor(const std::string& topic) const {
  auto at = options_.topics.find(topic);
  if (at != options_.topics.end() && !at->second.table.empty()) return table::ParseTableName(at->second.table);
  return table::TableNameOf(topic);
}

Result<TableFeed*> Engine::AddTable(const log::Topic& topic) {
  ASSIGN_OR_RETURN(auto name, TableNameFor(topic.name()));
  std::string partitioning = options_.partitioning;
  auto settings = options_.topics.find(topic.name());
  if (settings != options_.topics.end() && !settings->second.partitioning.empty()) partitioning = settings->second.partitioning;
  ASSIGN_OR_RETURN(auto spec, table::ParsePartitioning(partitioning));
  ASSIGN_OR_RETURN(auto* table, registry_->Add(topic, name, std::move(spec), topic.config().first_offsets));
  feeds_.push_back(std::make_unique<TableFeed>(env_, *catalog_, *log_, *registry_, *table, *memory_, options_.tier));
  auto* feed = feeds_.back().get();
  if (auto opened = feed->Open(); !opened.ok()) env_.log.Error("table is not available", {{"table", name.ToString()}, {"cause", opened.error().ToString()}});
  feed->Start();
  return feed;
}

Result<void> Engine::LoadHotRows(TableFeed& feed) {
  auto version = registry_->Version(feed.table());
  const auto from = version != nullptr ? version->progress.offsets() : feed.table().topic().config().first_offsets;
  const int64_t began_ns = env_.clock.MonotonicNs();
  auto wait_for_room = [&] {
    feed.source().Tick();
    env_.clock.SleepUs(kRoomPollUs);
  };
  ASSIGN_OR_RETURN(auto rows, registry_->Load(feed.table(), *log_, from, wait_for_room));
  if (rows > 0)
    env_.log.Info("hot rows loaded", {{"table", feed.table().name().ToString()}, {"rows", rows}, {"ms", (env_.clock.MonotonicNs() - began_ns) / 1'000'000}});
  return {};
}

Result<void> Engine::OpenGate() {
  ingest::GateOptions options;
  options.routing = options_.routing;
  options.limits.body_bytes_max = options_.http.inflated_bytes_max;
  for (auto& [name, topic] : options_.topics) options.topics[name] = ConfigOf(topic);
  ingest::Gate::Hooks hooks;
  hooks.on_topic = [this](const log::Topic& topic) -> Result<void> {
    for (auto& feed : feeds_)
      if (&feed->table().topic() == &topic) return {};
    ASSIGN_OR_RETURN([[maybe_unused]] auto* feed, AddTable(topic));
    return {};
  };
  hooks.has_room = [this] { return !memory_->over_budget(); };
  hooks.prepare_topic = [this](const std::string& topic) -> Result<table::PartitionOffsets> {
    ASSIGN_OR_RETURN(auto name, TableNameFor(topic));
    if (auto* taken = registry_->Find(name); taken != nullptr)
      return Error{ErrorCode::kInvalid, "the topic \"" + topic + "\" would feed the table " + name.ToString() + ", which \"" + taken->topic_name() + "\" feeds",
                   "choose another topic name, or set topics." + topic + ".table"};
    auto at = known_progress_.find(topic);
    return at == known_progress_.end() ? table::PartitionOffsets() : at->second;
  };
  ASSIGN_OR_RETURN(gate_, ingest::Gate::Make(env_, *log_, std::move(options), std::move(hooks)));
  return {};
}

Result<void> Engine::OpenFront() {
  ASSIGN_OR_RETURN(auto address, io::ParseSocketAddress(options_.listen));
  if (!address.is_loopback() && !options_.insecure)
    return Error{ErrorCode::kInvalid, "\"" + options_.listen + "\" can be reached from other machines, and nobody is authenticated yet",
                 "listen on 127.0.0.1, or say --insecure if the network is trusted"};
  views_ = std::make_unique<query::TableReadViews>(env_, *registry_);
  ASSIGN_OR_RETURN(queries_, query::Session::Open(env_, SessionOptionsOf(options_.sql, directory_->spill()), *views_));
  ingest_endpoint_ = std::make_unique<front::http::IngestEndpoint>(*gate_);
  sql_endpoint_ = std::make_unique<front::http::SqlEndpoint>(env_, *queries_, options_.sql.timeout_ms);
  auto routes = ingest_endpoint_->Routes(options_.http.body_bytes_max);
  for (auto& route : front::http::InfoRoutes(*this)) routes.push_back(std::move(route));
  for (auto& route : sql_endpoint_->Routes()) routes.push_back(std::move(route));
  const std::string document = front::http::MakeOpenApi(routes, Version()).Dump(2) + "\n";
  routes.push_back({front::http::Method::kGet, "/openapi.json",
                    [document](front::http::HttpRequest&, front::http::Responder responder) { responder.Send({200, front::http::kJsonType, {}, document}); },
                    "This API as an OpenAPI document."});
  ASSIGN_OR_RETURN(auto router, front::http::Router::Make(std::move(routes)));
  front::http::HttpOptions http;
  http.connections_max = options_.http.connections_max;
  ASSIGN_OR_RETURN(http_, front::http::HttpServer::Open(*loop_, address, std::move(router), http, env_.log, env_.metrics));
  return {};
}

std::string Engine::url() const { return "http://" + http_->address().ToString(); }

// ---- running ------------------------------------------------------------------------------------------------------------

void Engine::OnRoundEnd() {
  log_->Tick(env_.clock.Now());
  ingest_endpoint_->Answer(log_->durable());
  ArmTick();
}

void Engine::ArmTick() {
  const int64_t delay_us = log_->tick_delay_us();
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
  housekeeping_ = std::make_unique<io::Timer>(*loop_, [this] {
    for (auto& feed : feeds_) feed->Tick();
    housekeeping_->Arm(kHousekeepingUs);
  });
  housekeeping_->Arm(kHousekeepingUs);
  RETURN_IF_ERROR(loop_->WatchSignal(log_->written(), [] {}));
  io::Timer drain_deadline(*loop_, [this] { http_->CloseAll(); });
  loop_->SetRoundEnd([this, &drain_deadline] {
    OnRoundEnd();
    if (stopping_ && !drain_deadline.armed()) drain_deadline.Arm(kDrainSecondsMax * 1'000'000);
  });
  running_ = true;
  auto ran = loop_->Run();
  running_ = false;
  loop_->UnwatchSignal(log_->written());
  loop_->SetRoundEnd({});
  Shutdown();
  return ran;
}

// From the edge inwards.
void Engine::Shutdown() {
  tick_.reset();
  housekeeping_.reset();
  queries_.reset();
  for (auto& feed : feeds_) feed->Stop();
  if (auto stopped = log_->Shutdown(); !stopped.ok()) env_.log.Error("log was not closed cleanly", {{"cause", stopped.error().ToString()}});
  env_.log.Info("stopped", {{"data", directory_->path()}});
}

Engine::~Engine() {
  for (auto& feed : feeds_) feed->Stop();
}

// ---- flush and resume ------------------------------------------------------------------------------------------------------

Result<TableFeed*> Engine::FindFeed(std::string_view name) {
  ASSIGN_OR_RETURN(auto parsed, table::ParseTableName(name));
  for (auto& feed : feeds_)
    if (feed->table().name() == parsed) return feed.get();
  std::vector<std::string> names;
  for (auto& feed : feeds_) names.push_back(feed->table().name().ToString());
  auto nearest = Nearest(name, std::vector<std::string_view>(names.begin(), names.end()));
  return Error{ErrorCode::kNotFound, "there is no table " + std::string(name),
               nearest.empty() ? "tables appear with their topic's first event; GET /v1/tables lists them" : "did you mean " + nearest + "?"};
}

void Engine::Flush(std::string_view name, int64_t timeout_ms, std::function<void(Result<Json>)> done) {
  auto feed = FindFeed(name);
  if (!feed.ok()) return done(feed.error());
  auto* f = *feed;
  f->source().RequestFlush();
  f->pump().Flush(timeout_ms * kMicrosPerMilli, [this, f, done = std::move(done)](Result<log::Progress> flushed) {
    f->source().FlushDone();
    loop_->Post([this, f, done, flushed = std::move(flushed)] {
      if (!flushed.ok()) return done(flushed.error());
      f->Tick();
      done(DescribeTable(f->table().name().ToString()));
    });
  });
}

Result<Json> Engine::Resume(std::string_view name) {
  ASSIGN_OR_RETURN(auto* feed, FindFeed(name));
  feed->pump().Resume();
  return DescribeTable(name);
}

}  // namespace sluice::server
