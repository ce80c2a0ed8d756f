// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests of this folder: pipelines in a simulated world, with small journals and tables that commit when they are told to.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/simulated_world.h"
#include "server/pipeline.h"

namespace sluice::server {

// A catalog that can be switched off.
class SwitchedCatalog final : public io::CatalogStore {
 public:
  SwitchedCatalog(io::CatalogStore& store, const bool& is_on) : store_(store), is_on_(is_on) {}
  Result<std::vector<std::string>> ListNamespaces() override { return store_.ListNamespaces(); }
  Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>& properties) override { return store_.CreateNamespace(name, properties); }
  Result<std::vector<std::string>> ListTables(const std::string& table_namespace) override { return store_.ListTables(table_namespace); }
  Result<std::optional<io::CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    if (!is_on_) return Error{ErrorCode::kUnavailable, "the catalog is locked", {}};
    return store_.LoadTable(table_namespace, table);
  }
  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& location) override {
    return store_.CreateTable(table_namespace, table, location);
  }
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected, const std::string& next) override {
    return store_.SwapTable(table_namespace, table, expected, next);
  }
  Result<void> DropTable(const std::string& table_namespace, const std::string& table) override { return store_.DropTable(table_namespace, table); }

 private:
  io::CatalogStore& store_;
  const bool& is_on_;
};

class TestPipelines {
 public:
  explicit TestPipelines(uint64_t seed) : world_(seed) {
    options_.data = "/data";
    options_.log.segment_bytes = 64 << 10;
    options_.log.journal_bytes_max = 4 * options_.log.segment_bytes;
    options_.tier.interval_us = int64_t{3600} * kMicrosPerSecond;
  }

  io::SimulatedWorld& world() { return world_; }
  io::Env env() { return world_.env(); }
  ServerOptions& options() { return options_; }
  void SwitchCatalog(bool on) { catalog_is_on_ = on; }
  CatalogOpener catalog_opener() {
    return [this](const Path&) -> Result<std::unique_ptr<io::CatalogStore>> {
      return std::unique_ptr<io::CatalogStore>(std::make_unique<SwitchedCatalog>(world_.catalog(), catalog_is_on_));
    };
  }

  Result<std::unique_ptr<Pipeline>> TryOpen() { return Pipeline::Open(env(), options_, catalog_opener()); }
  std::unique_ptr<Pipeline> Open() {
    auto opened = TryOpen();
    if (!opened.ok()) ADD_FAILURE() << opened.error().ToString();
    return std::move(opened).value();
  }

  // A round of the loop, as often as it takes.
  void RunUntil(Pipeline& pipeline, const std::function<bool()>& done) {
    for (int i = 0; i < 10'000 && !done(); i++) {
      pipeline.log().Tick(env().clock.Now());
      pipeline.TickFeeds();
      if (!done()) pipeline.log().written().Wait(10'000);
    }
    ASSERT_TRUE(done());
  }

  // One request with an event for each id.
  ingest::IngestOutcome Admit(Pipeline& pipeline, const std::vector<std::string>& ids) {
    std::string body;
    for (auto& id : ids) body += (body.empty() ? "[" : ",") + (R"({"specversion":"1.0","id":")" + id + R"(","source":"/s","type":"user_action"})");
    body += "]";
    const size_t size = body.size();
    body.append(64, ' ');
    const Principal principal;
    ingest::IngestRequest request;
    request.content_type = "application/cloudevents-batch+json";
    request.body = std::string_view(body).substr(0, size);
    request.principal = &principal;
    auto outcome = pipeline.gate().Ingest(request);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome;
  }
  // The same, until it is durable.
  ingest::IngestOutcome Send(Pipeline& pipeline, const std::vector<std::string>& ids) {
    auto outcome = Admit(pipeline, ids);
    RunUntil(pipeline, [&] { return pipeline.log().durable() >= outcome.durable_after; });
    return outcome;
  }

  // Of the first table.
  void Flush(Pipeline& pipeline) {
    bool done = false;
    pipeline.Flush(*pipeline.feeds().front(), 10 * kMicrosPerSecond, [&](Result<log::Progress> flushed) {
      EXPECT_TRUE(flushed.ok());
      done = true;
    });
    RunUntil(pipeline, [&] { return done; });
  }

 private:
  io::SimulatedWorld world_;
  ServerOptions options_;
  bool catalog_is_on_ = true;
};

}  // namespace sluice::server
